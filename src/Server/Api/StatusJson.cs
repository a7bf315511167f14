using System.Globalization;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Node;

namespace RaftFast.Server.Api;

/// <summary>Answer to <c>GET /v1/status</c>: this member, its positions, its latencies and its totals.</summary>
internal sealed record StatusJson
{
    public required ulong Id { get; init; }

    public required string ClusterId { get; init; }

    public required string Version { get; init; }

    public required string ClientUrl { get; init; }

    public required string ApiUrl { get; init; }

    public required string Role { get; init; }

    public required long Term { get; init; }

    /// <summary>Null if no leader is known.</summary>
    public required ulong? Leader { get; init; }

    public required double UptimeSeconds { get; init; }

    public required PositionsJson Log { get; init; }

    public required long Keys { get; init; }

    public required long StateBytes { get; init; }

    public required long StateBytesMax { get; init; }

    /// <summary>Faults of this member, a sentence each; empty if there are none.</summary>
    public required IReadOnlyList<string> Ails { get; init; }

    public required TotalsJson Totals { get; init; }

    public required HistogramJson CommitSeconds { get; init; }

    public required HistogramJson SyncSeconds { get; init; }

    public required HistogramJson ApplySeconds { get; init; }

    public required SnapshotJson Snapshot { get; init; }

    /// <param name="uptime">Time since the node started.</param>
    public static StatusJson Of(Observation seen, RequestCounters answered, Announcement own, TimeSpan uptime)
    {
        NodeReport node = seen.Node;
        return new StatusJson
        {
            Id = node.Id,
            ClusterId = node.Cluster.ClusterId.ToString("x16", CultureInfo.InvariantCulture),
            Version = ProgramVersion.Text,
            ClientUrl = own.ClientUrl,
            ApiUrl = own.ApiUrl,
            Role = Words.Of(node.Role),
            Term = node.Term,
            Leader = node.LeaderId == 0 ? null : node.LeaderId,
            UptimeSeconds = uptime.TotalSeconds,
            Log = new PositionsJson(
                node.FirstIndex, node.Last.Index, node.Last.Term, node.Durable, node.Committed, node.Applied),
            Keys = node.Keys,
            StateBytes = node.StateBytes,
            StateBytesMax = node.StateBytesMax,
            Ails = Ailments.OfSelf(seen),
            Totals = TotalsJson.Of(node, answered),
            CommitSeconds = HistogramJson.OfMicroseconds(node.Commit),
            SyncSeconds = HistogramJson.OfMicroseconds(seen.SyncTime),
            ApplySeconds = HistogramJson.OfMicroseconds(node.Apply),
            Snapshot = new SnapshotJson(
                node.Snapshots.Index, node.Snapshots.Bytes, node.Snapshots.TakingIndex, node.Snapshots.TakingBytes),
        };
    }
}

internal sealed record PositionsJson(long First, long Last, long LastTerm, long Durable, long Committed, long Applied);

/// <summary>Counters since the process started; a page takes the differences of two answers.</summary>
internal sealed record TotalsJson(
    long Requests, long Writes, long Reads, long Refused, long Unknown, long EntriesApplied, long ElectionsStarted,
    long ElectionsWon, long LeaderChanges, long SnapshotsTaken, long SnapshotsFailed, long SnapshotsInstalled)
{
    public static TotalsJson Of(NodeReport node, RequestCounters answered)
    {
        long requests = 0, writes = 0, reads = 0, refused = 0, unknown = 0;
        for (int method = 0; method < RequestCounters.Methods.Length; method++)
        {
            for (int place = 0; place < RequestCounters.Statuses.Length; place++)
            {
                long count = answered[method, place];
                int status = RequestCounters.Statuses[place];
                requests += count;
                writes += RequestCounters.Methods[method] == "PUT" ? count : 0;
                reads += RequestCounters.Methods[method] is "GET" or "HEAD" ? count : 0;
                refused += status is 503 or 507 ? count : 0;
                unknown += status == 504 ? count : 0;
            }
        }
        return new TotalsJson(
            requests, writes, reads, refused, unknown, node.Counts.EntriesApplied, node.Counts.Campaigns,
            node.Counts.TermsLed, node.Counts.LeaderChanges, node.Snapshots.Taken, node.Snapshots.Failed,
            node.Snapshots.Installed);
    }
}

/// <summary>Counts of values up to each bound; the last count is of greater values.</summary>
internal sealed record HistogramJson(double[] Bounds, long[] Counts, double Sum)
{
    public static HistogramJson OfMicroseconds(HistogramCopy copy) =>
        new(Array.ConvertAll(copy.Bounds, static bound => bound / 1e6), copy.Counts, copy.Sum / 1e6);
}

/// <param name="TakingIndex">Last entry of the snapshot being taken; 0 if none is.</param>
internal sealed record SnapshotJson(long Index, long Bytes, long TakingIndex, long TakingBytes);
