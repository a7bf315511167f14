using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>
/// The store in effect, with its history of changes and its recent digests. An installed snapshot replaces the store;
/// history and digests then begin anew.
/// </summary>
internal sealed class StateMachine : IDisposable
{
    private readonly ChangeHistory? history;
    private readonly RecentDigests digests;
    private long publishedIndex;

    /// <param name="history">Receives the changes that applied entries make; null if they are not recorded.</param>
    /// <param name="digestsMax">
    /// Maximum digests that are kept: one for the state after each of the last entries.
    /// </param>
    public StateMachine(KeyValueStore store, ChangeHistory? history = null, int digestsMax = RecentDigests.CountMax)
    {
        this.history = history;
        digests = new RecentDigests(digestsMax);
        Store = store;
        Begin();
    }

    public KeyValueStore Store { get; private set; }

    /// <summary>Bytes that were ever added to the history of changes; 0 without one. Never decreases.</summary>
    public long HistoryBytes => history?.AddedBytes ?? 0;

    /// <inheritdoc cref="KeyValueStore.Apply"/>
    public ApplyResult Apply(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        ApplyResult result = Store.Apply(header, record);
        digests.Add(Store.AppliedIndex, Store.Digest);
        return result;
    }

    /// <summary>Digest of the state as it was at this index (<see cref="KeyValueStore.Digest"/>).</summary>
    /// <returns>False if the index is not applied yet, or its digest no longer known.</returns>
    public bool TryDigestAt(long index, out UInt128 digest) => digests.TryGet(index, out digest);

    /// <param name="index">Null for the applied index.</param>
    public StateHash HashAt(long? index)
    {
        long at = index ?? Store.AppliedIndex;
        return new StateHash(
            at, TryDigestAt(at, out UInt128 digest) ? digest : null, digests.Oldest, Store.AppliedIndex);
    }

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

/// <param name="Digest">Digest of the state at the index; null if it is not known yet, or no longer.</param>
/// <param name="Oldest">First index with a known digest.</param>
/// <param name="Applied">Last index with a known digest.</param>
internal sealed record StateHash(long Index, UInt128? Digest, long Oldest, long Applied);
