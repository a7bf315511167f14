namespace RaftFast.Simulation.Disk;

/// <summary>
/// A disk on which the writes of the log do not return: for ever, or for minutes. Reads and other files stay usable.
/// </summary>
internal sealed class HungWrites
{
    private Action? held;

    public bool IsHung { get; private set; }

    public void Hang() => IsHung = true;

    /// <summary>Holds a write that would complete now.</summary>
    /// <param name="complete">Completes the write.</param>
    public void Hold(Action complete) => held = complete;

    /// <summary>Ends the hang. The write that is held returns now.</summary>
    public void Return()
    {
        IsHung = false;
        Action? complete = held;
        held = null;
        complete?.Invoke();
    }

    /// <summary>Forgets the write of a process that has died.</summary>
    public void Forget() => held = null;
}
