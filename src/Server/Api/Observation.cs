using RaftFast.Http;
using RaftFast.Server.Node;
using RaftFast.Server.Peers;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Api;

/// <summary>The state of a node's parts, copied within a moment.</summary>
internal sealed record Observation
{
    public required NodeReport Node { get; init; }

    public required IReadOnlyList<PeerReport> Peers { get; init; }

    public required FrontReport Front { get; init; }

    public required long InboxItems { get; init; }

    public required long InboxItemsMax { get; init; }

    /// <summary>Questions of the API that the loop has not taken.</summary>
    public required int Questions { get; init; }

    /// <summary>Bytes of the bodies of transactions in memory.</summary>
    public required long TransactionBodyBytes { get; init; }

    /// <summary>Transactions in progress.</summary>
    public required int Transactions { get; init; }

    /// <summary>Pages of keys that are being copied or sent.</summary>
    public required int ListedPages { get; init; }

    public required int Watches { get; init; }

    public required int WatchesMax { get; init; }

    /// <summary>Watches that ended because the history no longer held their next change.</summary>
    public required long WatchesGone { get; init; }

    public required HistoryExtent History { get; init; }

    public required int HistoryBytesMax { get; init; }

    /// <summary>Inbound connections of peers without a complete handshake.</summary>
    public required int Handshakes { get; init; }

    public required int HandshakesMax { get; init; }

    /// <summary>Times of the log's writes, in microseconds.</summary>
    public required HistogramCopy SyncTime { get; init; }

    /// <summary>Time for which the present write of the log has been out; zero if there is none.</summary>
    public required TimeSpan WriteOut { get; init; }

    /// <summary>Bytes received so far of the snapshot that is being received; 0 if there is none.</summary>
    public required long ReceivedSnapshotBytes { get; init; }

    /// <summary>True while a write of a received snapshot does not return.</summary>
    public required bool ReceivingHangs { get; init; }

    public required HistogramCopy BatchEntries { get; init; }

    public required HistogramCopy BatchBytes { get; init; }

    /// <summary>Items of the inbox that the loop took at once.</summary>
    public required HistogramCopy BatchItems { get; init; }
}
