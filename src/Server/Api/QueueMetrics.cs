using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Peers;

namespace RaftFast.Server.Api;

/// <summary>
/// Every bounded queue of the table in section 5 of docs/ARCHITECTURE.md, with its bound: in bytes, in items, or both.
/// </summary>
internal static class QueueMetrics
{
    public static void Write(PrometheusText text, Observation seen)
    {
        NodeReport node = seen.Node;
        text.Gauge("queue_bytes",
            "Bytes in a bounded queue. Compare raftfast_queue_limit_bytes: at the limit new work waits or is refused, "
            + "as section 5 of docs/ARCHITECTURE.md says for each queue.")
            .Sample("queue=\"uncommitted\"", node.UncommittedBytes)
            .Sample("queue=\"log_memory\"", node.LogMemoryBytes)
            .Sample("queue=\"log_reader\"", node.LogReaderBytes)
            .Sample("queue=\"clients\"", seen.Front.MemoryBytes)
            .Sample("queue=\"connection_greatest\"", seen.Front.ConnectionBytesGreatest)
            .Sample("queue=\"state\"", node.StateBytes)
            .Sample("queue=\"outcomes\"", node.OutcomeBytes)
            .Sample("queue=\"watch_history\"", seen.History.Head - seen.History.Tail)
            .Sample("queue=\"transaction_bodies\"", seen.TransactionBodyBytes)
            .Sample("queue=\"waiting_writes\"", node.Waiting.WriteBytes);
        foreach (PeerReport peer in seen.Peers)
        {
            text.Sample($"queue=\"peer_send\",peer=\"{peer.Peer}\"", peer.SendBytes);
            text.Sample($"queue=\"peer_receive\",peer=\"{peer.Peer}\"", peer.ReceiveBytes);
        }
        text.Gauge("queue_limit_bytes",
            "Bound of raftfast_queue_bytes. A queue without a fixed bound has no sample here.")
            .Sample("queue=\"uncommitted\"", node.UncommittedBytesMax)
            .Sample("queue=\"log_memory\"", node.LogMemoryBytesMax)
            .Sample("queue=\"clients\"", seen.Front.Limits.MemoryMax)
            .Sample("queue=\"connection_greatest\"", seen.Front.Limits.PipelineBytesMax)
            .Sample("queue=\"state\"", node.StateBytesMax)
            .Sample("queue=\"outcomes\"", node.OutcomeBytesMax)
            .Sample("queue=\"watch_history\"", seen.HistoryBytesMax)
            .Sample("queue=\"transaction_bodies\"", TransactionBodies.AllBytesMax)
            .Sample("queue=\"waiting_writes\"", node.Waiting.WriteBytesMax);
        foreach (PeerReport peer in seen.Peers)
            text.Sample($"queue=\"peer_send\",peer=\"{peer.Peer}\"", peer.SendBytesMax);
        text.Gauge("queue_items",
            "Items in a bounded queue: inbox items, connections, requests. Compare raftfast_queue_limit_items.")
            .Sample("queue=\"inbox\"", seen.InboxItems)
            .Sample("queue=\"api_questions\"", seen.Questions)
            .Sample("queue=\"api_pages\"", seen.ListedPages)
            .Sample("queue=\"transactions\"", seen.Transactions)
            .Sample("queue=\"watches\"", seen.Watches)
            .Sample("queue=\"handshakes\"", seen.Handshakes)
            .Sample("queue=\"connections\"", seen.Front.Connections)
            .Sample("queue=\"requests\"", seen.Front.Requests)
            .Sample("queue=\"reads\"", node.Waiting.Reads)
            .Sample("queue=\"waiting_reads\"", node.Waiting.ReadsForChange)
            .Sample("queue=\"waiting_writes\"", node.Waiting.Writes)
            .Sample("queue=\"forwarded_writes\"", node.Waiting.Forwarded)
            .Sample("queue=\"proposed_writes\"", node.Waiting.Proposed)
            .Sample("queue=\"membership_changes\"", node.Waiting.Changes);
        text.Gauge("queue_limit_items",
            "Bound of raftfast_queue_items. The bound of reads, waiting reads, forwarded and proposed writes is that "
            + "of requests.")
            .Sample("queue=\"inbox\"", seen.InboxItemsMax)
            .Sample("queue=\"api_questions\"", LoopQuestion.OutstandingMax)
            .Sample("queue=\"api_pages\"", KeyList.PagesMax)
            .Sample("queue=\"transactions\"", Transactions.OutstandingMax)
            .Sample("queue=\"watches\"", seen.WatchesMax)
            .Sample("queue=\"handshakes\"", seen.HandshakesMax)
            .Sample("queue=\"connections\"", seen.Front.Limits.ConnectionsMax)
            .Sample("queue=\"requests\"", seen.Front.Limits.RequestsMax)
            .Sample("queue=\"waiting_writes\"", node.Waiting.WritesMax)
            .Sample("queue=\"membership_changes\"", node.Waiting.ChangesMax);
    }
}
