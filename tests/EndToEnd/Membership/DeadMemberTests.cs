using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

/// <summary>A DELETE takes no majority away from a cluster with a dead member.</summary>
[Collection(nameof(Alone))]
public sealed class DeadMemberTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void While_one_of_three_is_dead_only_the_dead_one_is_removed(bool removesLeader, bool asksLeader)
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode follower = cluster.Others(leader).First();
        ClusterNode dead = cluster.Others(leader).Last();
        ClusterNode healthy = removesLeader ? leader : follower;
        ClusterNode asked = asksLeader ? leader : follower;
        dead.Kill();

        CurlResult refusal = Operator.Delete(asked, healthy.Id);
        Operator.AssertRefused(refusal, 409, $"member {dead.Id} does not write");
        Assert.Contains($"remove it first with DELETE /{dead.Id}", refusal.Text, StringComparison.Ordinal);
        Assert.Equal(204, Curl.Put(asked.Url("/key"), "kept").Status);
        Assert.Equal(leader.TermLed, cluster.WaitForLeader().TermLed); // the leader stays: nothing was begun

        Operator.AssertDone(Operator.Delete(asked, dead.Id), cluster);
        Assert.Equal(204, Curl.Put(asked.Url("/key"), "written by two").Status);
        ClusterNode last = healthy == leader ? follower : leader;
        Operator.Remove(cluster, asked, healthy);
        Eventually.True(
            () => last.TryExchange("PUT", "/after", "alone"u8)?.Status == 204, () => $"one is a cluster, {last}");
        Assert.Equal("written by two", Curl.Get(last.Url("/key")).Text);
    }

    [Fact]
    public void A_member_that_is_back_makes_the_removal_of_another_possible()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode follower = cluster.Others(leader).First();
        ClusterNode dead = cluster.Others(leader).Last();
        dead.Kill();
        Operator.AssertRefused(Operator.Delete(leader, follower.Id), 409, $"start member {dead.Id} again");
        dead.Restart();
        dead.WaitUntilReady();
        Operator.Remove(cluster, leader, follower);
        Assert.Equal(204, Curl.Put(dead.Url("/key"), "value").Status);
    }
}
