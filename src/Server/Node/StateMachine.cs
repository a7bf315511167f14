using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>The store as it is now: a snapshot that is installed puts another in its place.</summary>
internal sealed class StateMachine(KeyValueStore store) : IDisposable
{
    public KeyValueStore Store { get; private set; } = store;

    /// <returns>The former store, which a snapshot in the making may still read.</returns>
    public KeyValueStore ReplaceBy(KeyValueStore restored)
    {
        KeyValueStore former = Store;
        Store = restored;
        return former;
    }

    public void Dispose() => Store.Dispose();
}
