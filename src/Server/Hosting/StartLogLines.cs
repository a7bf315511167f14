using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Recovery;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Hosting;

/// <summary>
/// Log lines of a start: the state that the node starts from, the node's addresses, and the members that it knows.
/// </summary>
internal static partial class StartLogLines
{
    /// <returns>True if the directory holds no state yet: this is the node's first start.</returns>
    public static bool State(ILogger log, string path, RecoveredState recovered, WalRecovery recovery, TimeSpan elapsed)
    {
        if (recovery.TornTail is not null)
            TornTail(log, recovery.TornTail);
        if (recovery.CoveredDamage is not null)
            CoveredDamage(log, recovery.CoveredDamage);
        bool isNew = recovered.Position == default && recovery.Batches == 0;
        if (isNew)
            New(log, path);
        else
            Recovered(log, path, Describe(recovered, recovery), (long)elapsed.TotalMilliseconds);
        return isNew;
    }

    /// <summary>Logs a command that writes a key at this node and reads the key back.</summary>
    public static void FirstCommand(ILogger log, IPEndPoint http)
    {
        string url = UrlOf(http, "/hello");
        Curl(log, url, url);
    }

    /// <summary>Describes the members of a cluster: their ids and addresses.</summary>
    public static string Describe(ClusterConfiguration cluster)
    {
        List<string> members = [];
        foreach (Member member in cluster.Members)
        {
            string role = member.Role == MemberRole.Voter ? "" : " (no voter)";
            members.Add($"{member.Id} at {member.Address}{role}");
        }
        return members.Count == 0 ? "none known yet" : string.Join(", ", members);
    }

    [LoggerMessage(
        LogLevel.Information,
        "member {Id} listens for clients on {Http}, for the other members on {Peer}; members: {Members}")]
    public static partial void Started(ILogger log, ulong id, IPEndPoint http, IPEndPoint peer, string members);

    [LoggerMessage(
        LogLevel.Information,
        "this node now listens for peers at {Address}, and no longer at {Former}; the other members will be told")]
    public static partial void Moved(ILogger log, PeerAddress address, PeerAddress former);

    [LoggerMessage(
        LogLevel.Warning,
        "--cluster says {Given}, but the data directory says {Persisted}: the data directory's "
        + "members count, and the flag's addresses are dialled too")]
    public static partial void ClusterFlagIgnored(ILogger log, string given, string persisted);

    private static string Describe(RecoveredState recovered, WalRecovery recovery)
    {
        string snapshot = recovered.Position == default
            ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $"a snapshot of {recovered.Store.Count} keys up to entry {recovered.Position.Index}, and ");
        string size = recovery.Bytes < 1_000_000
            ? string.Create(CultureInfo.InvariantCulture, $"{recovery.Bytes / 1e3:F1} kB")
            : string.Create(CultureInfo.InvariantCulture, $"{recovery.Bytes / 1e6:F1} MB");
        string files = recovery.Segments == 1 ? "file" : "files";
        string log = recovery.Last.Index == 0
            ? "a log without entries"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"a log up to entry {recovery.Last.Index}, {size} in {recovery.Segments} {files}");
        return $"{snapshot}{log}, term {recovery.HardState.Term}";
    }

    /// <summary>URL by which a client on this machine reaches the node, as one word of a shell command.</summary>
    private static string UrlOf(IPEndPoint http, string key)
    {
        bool isEvery = http.Address.Equals(IPAddress.Any) || http.Address.Equals(IPAddress.IPv6Any);
        IPEndPoint reached = isEvery ? new IPEndPoint(IPAddress.Loopback, http.Port) : http;
        string url = $"http://{reached}{key}";
        // Some shells take the brackets of an IPv6 address for a pattern.
        return reached.AddressFamily == AddressFamily.InterNetworkV6 ? $"'{url}'" : url;
    }

    [LoggerMessage(LogLevel.Information, "data directory {Path} is new: this node starts without keys")]
    private static partial void New(ILogger log, string path);

    [LoggerMessage(LogLevel.Information, "data directory {Path}: recovered {State}, in {Milliseconds} ms")]
    private static partial void Recovered(ILogger log, string path, string state, long milliseconds);

    [LoggerMessage(LogLevel.Warning, "{TornTail}")]
    private static partial void TornTail(ILogger log, string tornTail);

    [LoggerMessage(
        LogLevel.Error,
        "damage in a part of the log that the snapshot covers: the log begins after it, and nothing is lost; "
        + "check the disk: {Damage}")]
    private static partial void CoveredDamage(ILogger log, string damage);

    [LoggerMessage(
        LogLevel.Information,
        "to write a key and read it back, once a leader is elected: curl -X PUT -d world {Url} && curl {SameUrl}")]
    private static partial void Curl(ILogger log, string url, string sameUrl);

    [LoggerMessage(
        LogLevel.Warning,
        "the limit of open descriptors allows {Allowed} connections of clients, fewer than --connections-max {Wanted}: "
        + "raise the limit, with ulimit -n or LimitNOFILE")]
    public static partial void ConnectionsLowered(ILogger log, int allowed, int wanted);
}
