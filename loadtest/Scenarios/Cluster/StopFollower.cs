using System.Net;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>
/// Stops a follower (SIGSTOP) after a third of the run, and continues it after two thirds. While the follower is
/// stopped, its connections stay open and it reads nothing. The load goes to the other members, which should not be
/// affected.
/// </summary>
public sealed class StopFollower : Disturbance
{
    private Member? follower;

    public override IReadOnlyList<IPEndPoint> Aim(LocalCluster cluster)
    {
        List<IPEndPoint> others = [];
        foreach (Member member in cluster.Members)
        {
            if (follower is null && member != cluster.Leader)
                follower = member;
            else
                others.Add(member.Http);
        }
        return others;
    }

    public override async Task RunAsync(
        LocalCluster cluster, TimeSpan during, Action<string> say, CancellationToken cancellation)
    {
        await Task.Delay(during / 3, cancellation);
        follower!.Pause();
        say($"stopped member {follower.Id}{(follower == cluster.Leader ? ", the leader by now" : ", a follower")}");
        try
        {
            await Task.Delay(during / 3, cancellation);
        }
        finally
        {
            follower.Resume();
        }
        say($"continued member {follower.Id}");
    }
}
