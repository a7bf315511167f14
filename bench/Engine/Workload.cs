using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Engine;

/// <summary>
/// Number of clients, and their writes. Each client has <c>Outstanding</c> writes under way, and begins another after
/// each completed write.
/// </summary>
internal sealed record Workload(int Clients, int Outstanding, int ValueBytes, int Keys)
{
    /// <summary>Bytes of each key: "/k" and seven digits.</summary>
    public const int KeyBytes = 9;

    private static readonly HttpLimits Limits = new();

    /// <summary>Writes under way at once.</summary>
    public int Slots => Clients * Outstanding;

    public int PayloadBytes => PutCommand.PayloadLength(KeyBytes, ValueBytes);

    /// <summary>
    /// True if the leader's inbox has room for all writes, and their bytes are within the bound of uncommitted bytes.
    /// </summary>
    public bool FitsTheLeader =>
        (long)Clients * Outstanding <= Limits.ConnectionsMax * Limits.PipelineDepthMax
        && (long)Clients * Outstanding * Record.LengthOf(PayloadBytes) <= new RaftOptions().UncommittedBytesMax;
}
