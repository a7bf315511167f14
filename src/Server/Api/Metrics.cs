using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Server.Node;
using RaftFast.Server.Peers;
using RaftFast.Server.Recovery;

namespace RaftFast.Server.Api;

/// <summary>The metrics of Raft, the log and requests. <see cref="QueueMetrics"/> has the bounded queues.</summary>
internal static class Metrics
{
    private const double Microsecond = 1e-6;
    private const double Second = 1;

    private static readonly RoleName[] Roles =
        [RoleName.Follower, RoleName.PreCandidate, RoleName.Candidate, RoleName.Leader];

    private static readonly ProgressState[] States =
        [ProgressState.Probe, ProgressState.Replicate, ProgressState.Snapshot];

    public static byte[] Render(Observation seen, RequestCounters answered, string dataDirectory)
    {
        PrometheusText text = new();
        WriteRequests(text, answered);
        WriteLatencies(text, seen);
        WriteRole(text, seen.Node);
        WriteLog(text, seen);
        WriteMembers(text, seen);
        WriteSnapshots(text, seen);
        WriteWatches(text, seen);
        WriteComparisons(text, seen.Node.Comparisons);
        QueueMetrics.Write(text, seen);
        ProcessMetrics.Write(text, dataDirectory);
        return text.ToUtf8();
    }

    /// <summary>Metrics of a node that starts: its process, and how far its recovery is.</summary>
    public static byte[] RenderStart(StartProgress start, string dataDirectory)
    {
        PrometheusText text = new();
        WriteRecovery(text, start);
        ProcessMetrics.Write(text, dataDirectory);
        return text.ToUtf8();
    }

    private static void WriteRecovery(PrometheusText text, StartProgress start)
    {
        const string Snapshot = "phase=\"snapshot\"";
        const string Log = "phase=\"log\"";
        text.Gauge("recovery_bytes",
            "Bytes that a start loads of the snapshot and reads of the log; 0 until the phase begins. Only a node that "
            + "starts reports them: compare with raftfast_recovery_done_bytes, and see /readyz.")
            .Sample(Snapshot, start.Snapshot?.All ?? 0)
            .Sample(Log, start.Log?.All ?? 0);
        text.Gauge("recovery_done_bytes",
            "Progress of the start: bytes loaded and read so far. If it does not rise, check the disk.")
            .Sample(Snapshot, start.Snapshot?.Done ?? 0)
            .Sample(Log, start.Log?.Done ?? 0);
    }

    private static void WriteRequests(PrometheusText text, RequestCounters answered)
    {
        text.Counter("requests_total",
            "Requests answered, by method and status. 503 means not done; look at the queues and at the leader. 504 "
            + "means unknown; look at elections. 507 means that disk or memory is full.");
        for (int method = 0; method < RequestCounters.Methods.Length; method++)
        {
            for (int status = 0; status < RequestCounters.Statuses.Length; status++)
            {
                if (answered[method, status] > 0)
                {
                    text.Sample(
                        $"method=\"{RequestCounters.Methods[method]}\",status=\"{RequestCounters.Statuses[status]}\"",
                        answered[method, status]);
                }
            }
        }
    }

    private static void WriteLatencies(PrometheusText text, Observation seen)
    {
        text.Histogram("commit_duration_seconds",
            "Time from the proposal of an entry at this leader to its commitment. If it rises and "
            + "raftfast_log_sync_duration_seconds does not, look at the network and at the followers' disks.",
            seen.Node.Commit, Microsecond);
        text.Histogram("log_sync_duration_seconds",
            "Time of one durable write of the log. It bounds the latency of every write; over 10 ms look for another "
            + "user of the disk.",
            seen.SyncTime, Microsecond);
        text.Gauge("log_write_pending_seconds",
            "Time for which the present write of the log has been out; 0 without one. If it grows, the disk hangs.",
            seen.WriteOut.TotalSeconds);
        text.Histogram("apply_duration_seconds",
            "Time from the discovery that an entry is committed until it is applied. If it rises, the processor is "
            + "short.",
            seen.Node.Apply, Microsecond);
        text.Histogram("log_batch_entries",
            "Entries made durable by one write of the log. Large batches mean that clients outrun the disk.",
            seen.BatchEntries, Second);
        text.Histogram("log_batch_bytes", "Bytes of one write of the log, with header and padding.",
            seen.BatchBytes, Second);
        text.Histogram("loop_batch_items",
            "Items that the loop took from its inbox at once. Large batches mean that the loop is busy.",
            seen.BatchItems, Second);
    }

    private static void WriteRole(PrometheusText text, NodeReport node)
    {
        text.Gauge("role", "1 for the present role of this member. If no member leads, look at the members' logs.");
        foreach (RoleName role in Roles)
            text.Sample($"role=\"{Words.Of(role)}\"", role == node.Role ? 1 : 0);
        text.Gauge("leader", "Id of the leader that this member knows; 0 for none: this member serves nothing then.",
            node.LeaderId);
        text.Gauge("term", "Current term. A term that rises often means elections: look at network and disks.",
            node.Term);
        text.Counter("elections_started_total",
            "Elections that this member began. Several an hour: a leader was lost, or is slow.", node.Counts.Campaigns);
        text.Counter("elections_won_total", "Terms that this member led.", node.Counts.TermsLed);
        text.Counter("leader_changes_total",
            "Times that a new leader became known here. Each costs writes a moment; find out why it came.",
            node.Counts.LeaderChanges);
        text.Gauge("leader_contact_seconds",
            "Time since this member heard from the leader; 0 on the leader. Near 0.4 s an election is near.",
            Words.SecondsOf(node.TicksSinceLeader));
    }

    private static void WriteLog(PrometheusText text, Observation seen)
    {
        NodeReport node = seen.Node;
        text.Gauge("log_index",
            "Positions in the log: first kept, last appended, durable here, known as committed, applied. Applied far "
            + "below committed: this member is busy. Durable far below last: its disk is slow.")
            .Sample("position=\"first\"", node.FirstIndex)
            .Sample("position=\"last\"", node.Last.Index)
            .Sample("position=\"durable\"", node.Durable)
            .Sample("position=\"committed\"", node.Committed)
            .Sample("position=\"applied\"", node.Applied);
        text.Counter("entries_applied_total", "Entries that this process has applied.", node.Counts.EntriesApplied);
        text.Counter("log_disk_reads_total",
            "Reads of old entries for followers that are far behind.", node.LogReads);
        text.Gauge("log_disk_bytes", "Bytes of the log's files.", node.LogDiskBytes);
        text.Gauge("keys", "Keys in the store.", node.Keys);
        text.Gauge("disk_full", "1 while the disk has no room for the log; writes are answered 507. Free space there.",
            node.LacksRoom ? 1 : 0);
        text.Gauge("log_write_overdue",
            "1 while the oldest write of the log does not return; this member gives no vote. Check the disk.",
            node.LogWriteIsOverdue ? 1 : 0);
        text.Gauge("received_snapshot_overdue",
            "1 while a write of a received snapshot does not return; no other is received meanwhile. Check the disk.",
            seen.ReceivingHangs ? 1 : 0);
    }

    private static void WriteMembers(PrometheusText text, Observation seen)
    {
        text.Gauge("peer_connected", "1 while this member is connected to the peer; 0: look at the peer and its port.");
        foreach (PeerReport peer in seen.Peers)
            text.Sample($"peer=\"{peer.Peer}\"", peer.IsConnected ? 1 : 0);
        text.Gauge("follower_lag_entries",
            "Entries that the follower lacks of the leader's log. Only the leader reports it. If it grows, the "
            + "follower, its disk or its network is too slow.");
        foreach (FollowerProgress follower in seen.Node.Followers)
            text.Sample($"peer=\"{follower.Id}\"", Math.Max(0, seen.Node.Last.Index - follower.Match));
        text.Gauge("follower_contact_seconds",
            "Time since the leader heard from the follower. Over 1 s the follower counts in no majority.");
        foreach (FollowerProgress follower in seen.Node.Followers)
            text.Sample($"peer=\"{follower.Id}\"", Words.SecondsOf(follower.TicksSinceHeard));
        text.Gauge("follower_state",
            "1 for the present mode of replication. probe for long: the follower does not answer. snapshot: it lacks "
            + "compacted entries.");
        foreach (FollowerProgress follower in seen.Node.Followers)
        {
            foreach (ProgressState state in States)
            {
                text.Sample(
                    $"peer=\"{follower.Id}\",state=\"{Words.Of(state)}\"", state == follower.State ? 1 : 0);
            }
        }
    }

    private static void WriteSnapshots(PrometheusText text, Observation seen)
    {
        SnapshotReport snapshots = seen.Node.Snapshots;
        text.Counter("snapshots_taken_total", "Snapshots taken.", snapshots.Taken);
        text.Counter("snapshots_failed_total",
            "Snapshots given up because the disk had no room; the log grows meanwhile. Free space there.",
            snapshots.Failed);
        text.Counter("snapshots_installed_total",
            "Snapshots that replaced state and log here: this member had missed compacted entries.",
            snapshots.Installed);
        text.Gauge("snapshot_index", "Last entry of the newest snapshot; 0 for none.", snapshots.Index);
        text.Gauge("snapshot_bytes", "Bytes of the snapshot taken or installed last.", snapshots.Bytes);
        text.Gauge("snapshot_taking_bytes",
            "Progress of the snapshot being taken: bytes of its file so far; 0 while none is. Compare "
            + "raftfast_snapshot_bytes.",
            snapshots.TakingIndex == 0 ? 0 : Math.Max(1, snapshots.TakingBytes));
        text.Gauge("snapshot_receiving_bytes",
            "Progress of the snapshot being received: bytes of its file so far; 0 while none is. Compare "
            + "raftfast_snapshot_bytes of the leader.",
            seen.ReceivedSnapshotBytes);
        text.Gauge("snapshot_sending_bytes",
            "Progress of the snapshot being sent to the peer: bytes so far. Compare raftfast_snapshot_bytes.");
        foreach (PeerReport peer in seen.Peers)
        {
            if (peer.SnapshotIndex != 0)
                text.Sample($"peer=\"{peer.Peer}\"", peer.SnapshotBytes);
        }
    }

    private static void WriteWatches(PrometheusText text, Observation seen)
    {
        text.Counter("watches_gone_total",
            "Watches that ended because their next changes were overwritten, or a snapshot was installed. If it rises, "
            + "the clients are too slow, or --watch-history is too small.",
            seen.WatchesGone);
        text.Gauge("watch_floor_index",
            "Watches can begin after this entry, or a later one. Near the applied entry: raise --watch-history.",
            seen.History.Floor);
    }

    private static void WriteComparisons(PrometheusText text, in ComparisonCounts comparisons)
    {
        text.Counter("state_comparisons_total",
            "Comparisons of this member's state with another member's. If it does not rise, the members do not reach "
            + "each other, or one runs an older version.",
            comparisons.Made);
        text.Counter("state_differences_total",
            "Comparisons that found different states. Not 0: look for the member that stopped, and at the log.",
            comparisons.Differed);
        text.Gauge("state_compared_index", "Entry at which states were compared last; 0 before the first time.",
            comparisons.Index);
    }
}
