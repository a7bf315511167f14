namespace RaftFast.LoadTest.Scenarios;

/// <summary>One client of a scenario. Only one caller at a time uses a copy.</summary>
public abstract class Copy : IDisposable
{
    /// <summary>
    /// Steps of the next iteration. The caller runs the steps in order, up to the first that is not Ok.
    /// </summary>
    public abstract IReadOnlyList<Step> Next();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
