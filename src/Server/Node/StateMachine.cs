using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>
/// Holder of the store in effect: installing a snapshot replaces the store by another. The history of changes begins
/// anew with each store.
/// </summary>
internal sealed class StateMachine : IDisposable
{
    private readonly ChangeHistory? history;
    private long publishedIndex;

    /// <param name="history">Gets the changes that applied entries make; null if nobody reads them.</param>
    public StateMachine(KeyValueStore store, ChangeHistory? history = null)
    {
        this.history = history;
        Store = store;
        BeginHistory();
    }

    public KeyValueStore Store { get; private set; }

    /// <summary>Bytes that were ever added to the history of changes; 0 without one. Never decreases.</summary>
    public long HistoryBytes => history?.AddedBytes ?? 0;

    /// <returns>The former store, which a snapshot that is being taken may still read.</returns>
    public KeyValueStore ReplaceBy(KeyValueStore installed)
    {
        KeyValueStore former = Store;
        former.History = null;
        Store = installed;
        BeginHistory();
        return former;
    }

    /// <summary>Shows the changes of all applied entries to readers of the history.</summary>
    /// <returns>True if entries were applied, or the state replaced, since the last call.</returns>
    public bool PublishChanges()
    {
        if (history is null || publishedIndex == Store.AppliedIndex)
            return false;
        publishedIndex = Store.AppliedIndex;
        history.Publish(publishedIndex);
        return true;
    }

    public void Dispose() => Store.Dispose();

    private void BeginHistory()
    {
        Store.History = history;
        history?.Reset(Store.AppliedIndex);
    }
}
