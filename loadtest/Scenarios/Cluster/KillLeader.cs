namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>In the middle the leader is killed (SIGKILL); at three quarters it is started again, and has to catch up.</summary>
public sealed class KillLeader : Disturbance
{
    public override async Task RunAsync(LocalCluster cluster, TimeSpan during, Action<string> say, CancellationToken cancellation)
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
