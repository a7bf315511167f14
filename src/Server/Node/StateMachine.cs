using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>Holder of the store in effect: installing a snapshot replaces the store by another.</summary>
internal sealed class StateMachine(KeyValueStore store) : IDisposable
{
    public KeyValueStore Store { get; private set; } = store;

    /// <returns>The former store, which a snapshot that is being taken may still read.</returns>
    public KeyValueStore ReplaceBy(KeyValueStore installed)
    {
        KeyValueStore former = Store;
        Store = installed;
        return former;
    }

    public void Dispose() => Store.Dispose();
}
