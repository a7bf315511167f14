using Microsoft.Extensions.Logging;
using RaftFast.Protocol;

namespace RaftFast.Server.Node.Requests;

/// <summary>What a committed change of the members means to an operator: one line a member.</summary>
internal static partial class MembershipLogLines
{
    public static void Changed(ILogger logger, ClusterConfiguration before, ClusterConfiguration after)
    {
        foreach (Member member in after.Members)
        {
            Member? former = before.Find(member.Id);
            if (former is null && member.Role == MemberRole.Learner)
                Added(logger, member.Id, member.Address);
            else if (former is null || (former.Role != MemberRole.Voter && member.Role == MemberRole.Voter))
                Promoted(logger, member.Id, member.Address);
            if (former is not null && former.Address != member.Address)
                Moved(logger, member.Id, former.Address, member.Address);
        }
        foreach (Member member in before.Members)
        {
            if (after.Find(member.Id) is null)
                Removed(logger, member.Id);
        }
    }

    [LoggerMessage(LogLevel.Information, "member {Id} at {Address} added as a learner: it becomes a voter once it has caught up")]
    private static partial void Added(ILogger logger, ulong id, PeerAddress address);

    [LoggerMessage(LogLevel.Information, "member {Id} at {Address} is a voter")]
    private static partial void Promoted(ILogger logger, ulong id, PeerAddress address);

    [LoggerMessage(LogLevel.Information, "member {Id} moved from {Former} to {Address}")]
    private static partial void Moved(ILogger logger, ulong id, PeerAddress former, PeerAddress address);

    [LoggerMessage(LogLevel.Information, "member {Id} removed; its id is never used again")]
    private static partial void Removed(ILogger logger, ulong id);
}
