using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Engine;

/// <summary>
/// What is written, and by how many at once: each client has so many writes outstanding, and follows each that is done with another.
/// </summary>
internal sealed record Workload(int Clients, int Outstanding, int ValueBytes, int Keys)
{
    /// <summary>Of each key: "/k" and seven digits.</summary>
    public const int KeyBytes = 9;

    private static readonly HttpLimits Limits = new();

    /// <summary>Writes under way at once.</summary>
    public int Slots => Clients * Outstanding;

    public int PayloadBytes => PutCommand.PayloadLength(KeyBytes, ValueBytes);

    /// <summary>Whether the leader's inbox takes them all at once, and none is refused for the bytes that are not committed yet.</summary>
    public bool FitsTheLeader =>
        (long)Clients * Outstanding <= Limits.ConnectionsMax * Limits.PipelineDepthMax
        && (long)Clients * Outstanding * Record.LengthOf(PayloadBytes) <= new RaftOptions().UncommittedBytesMax;
}
