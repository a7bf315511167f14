using System.Net;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>
/// A third of the way a follower is stopped (SIGSTOP: its connections stay, and it takes nothing off them), and after
/// another third let go on. The load goes to the other members, which should not notice.
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

    public override async Task RunAsync(LocalCluster cluster, TimeSpan during, Action<string> say, CancellationToken cancellation)
    {
        await Task.Delay(during / 3, cancellation);
        follower!.Pause();
        say($"stopped member {follower.Id}{(follower == cluster.Leader ? ", which leads by now" : ", a follower")}");
        try
        {
            await Task.Delay(during / 3, cancellation);
        }
        finally
        {
            follower.Resume();
        }
        say($"member {follower.Id} goes on");
    }
}
