namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>
/// Kills the leader (SIGKILL) at half of the run, and starts it again at three quarters, so that it has to catch up.
/// </summary>
public sealed class KillLeader : Disturbance
{
    public override async Task RunAsync(
        LocalCluster cluster, TimeSpan during, Action<string> say, CancellationToken cancellation)
    {
        await Task.Delay(during / 2, cancellation);
        Member leader = await cluster.WaitForLeaderAsync(cancellation);
        leader.Kill();
        say($"killed the leader, member {leader.Id}");
        await Task.Delay(during / 4, cancellation);
        leader.Start();
        say($"started member {leader.Id} again");
    }
}
