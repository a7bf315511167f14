using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>
/// Holder of the store in effect: installing a snapshot replaces the store by another. The history of changes begins
/// anew with each store.
/// </summary>
internal sealed class StateMachine : IDisposable
{
    private readonly ChangeHistory? history;
    private readonly RecentDigests digests;
    private long publishedIndex;

    /// <param name="history">Gets the changes that applied entries make; null if nobody reads them.</param>
    /// <param name="digestsMax">Digests that are kept, of the states after the last entries.</param>
    public StateMachine(KeyValueStore store, ChangeHistory? history = null, int digestsMax = RecentDigests.CountMax)
    {
        this.history = history;
        digests = new RecentDigests(digestsMax);
        Store = store;
        Begin();
    }

    public KeyValueStore Store { get; private set; }

    /// <summary>First index at which the state's digest is known.</summary>
    public long OldestDigest => digests.Oldest;

    /// <inheritdoc cref="KeyValueStore.Apply"/>
    public ApplyResult Apply(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        ApplyResult result = Store.Apply(header, record);
        digests.Add(Store.AppliedIndex, Store.Digest);
        return result;
    }

    /// <summary>Digest of the state as it was at this index (<see cref="KeyValueStore.Digest"/>).</summary>
    /// <returns>False if the index is not applied yet, or is older than <see cref="OldestDigest"/>.</returns>
    public bool TryDigestAt(long index, out UInt128 digest) => digests.TryGet(index, out digest);

    /// <returns>The former store, which a snapshot that is being taken may still read.</returns>
    public KeyValueStore ReplaceBy(KeyValueStore installed)
    {
        KeyValueStore former = Store;
        former.History = null;
        Store = installed;
        Begin();
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

    private void Begin()
    {
        digests.Begin(Store.AppliedIndex, Store.Digest);
        Store.History = history;
        history?.Reset(Store.AppliedIndex);
    }
}
