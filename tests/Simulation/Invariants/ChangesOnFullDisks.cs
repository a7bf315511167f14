using RaftFast.Protocol;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Invariants;

/// <summary>Counts changes of the members that are committed while a voter's log has no room.</summary>
internal sealed class ChangesOnFullDisks(Cluster cluster)
{
    private ClusterConfiguration? counted;

    /// <summary>Called when a server has processed a batch of inputs.</summary>
    public void OnStepped()
    {
        ClusterConfiguration? latest = cluster.Invariants.LatestConfiguration;
        if (ReferenceEquals(latest, counted))
            return;
        bool isChange = counted is null || !HaveSameRoles(counted, latest!);
        counted = latest;
        int voters = 0;
        int full = 0;
        foreach (Member member in latest!.Members)
        {
            SimulatedServer server = cluster.Servers[(int)member.Id - 1];
            bool isVoter = member.Role == MemberRole.Voter;
            voters += isVoter ? 1 : 0;
            full += isVoter && server.Node is { Core.LacksRoom: true } ? 1 : 0;
        }
        if (!isChange || full == 0)
            return;
        cluster.Counters[Counter.ChangesWithoutRoom]++;
        cluster.Counters[Counter.ChangesByMajorityWithoutRoom] += 2 * full > voters ? 1 : 0;
    }

    private static bool HaveSameRoles(ClusterConfiguration before, ClusterConfiguration after)
    {
        bool isEqual = before.Members.Count == after.Members.Count;
        foreach (Member member in after.Members)
            isEqual &= before.Find(member.Id)?.Role == member.Role;
        return isEqual;
    }
}
