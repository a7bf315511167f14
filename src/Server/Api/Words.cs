using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Loop;

namespace RaftFast.Server.Api;

/// <summary>Words and units of the API, the same in metrics, JSON and page.</summary>
internal static class Words
{
    public static string Of(RoleName role) => role switch
    {
        RoleName.Leader => "leader",
        RoleName.Candidate => "candidate",
        RoleName.PreCandidate => "pre_candidate",
        _ => "follower",
    };

    public static string Of(ProgressState state) => state switch
    {
        ProgressState.Replicate => "replicate",
        ProgressState.Snapshot => "snapshot",
        _ => "probe",
    };

    public static string Of(MemberRole role) => role switch
    {
        MemberRole.Voter => "voter",
        MemberRole.Learner => "learner",
        _ => "leaving",
    };

    public static double SecondsOf(int ticks) => ticks * (NodeLoop.TickMilliseconds / 1000.0);
}
