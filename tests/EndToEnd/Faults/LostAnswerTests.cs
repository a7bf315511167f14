using System.Diagnostics;
using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Protocol;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>
/// A relay cuts the connection on which a member's answer travels, at that answer. The connection in the other
/// direction stays, so that only its receiver can notice the loss.
/// </summary>
[Collection(nameof(Alone))]
public sealed class LostAnswerTests
{
    /// <summary>Cuts of one test. The output reports the median time.</summary>
    private const int Cuts = 9;

    [Fact]
    public void A_write_whose_acknowledgement_is_lost_is_answered_204()
    {
        using RelayedCluster relayed = RelayedCluster.Start(3);
        ClusterNode leader = relayed.Cluster.WaitForLeader();
        ClusterNode follower = relayed.Cluster.Others(leader).First();
        // The leader and this follower are the majority, so that its acknowledgement is needed.
        relayed.Cluster.Others(leader).Last().Kill();
        Report("a lost acknowledgement", relayed.Of(leader), follower, () =>
        {
            relayed.Of(leader).CutAt(follower.Id, MessageType.AppendResponse);
            Assert.Equal(204, leader.TryExchange("PUT", "/key", "value"u8)?.Status);
            Assert.False(relayed.Of(leader).IsTrapSet);
        });
    }

    [Fact]
    public void A_change_whose_answer_is_lost_is_answered_before_its_time_is_up()
    {
        using RelayedCluster relayed = RelayedCluster.Start(3, "--request-timeout", "600000");
        ClusterNode leader = relayed.Cluster.WaitForLeader();
        ClusterNode follower = relayed.Cluster.Others(leader).First();
        int id = 100;
        Report("the lost answer to a forwarded change", relayed.Of(follower), leader, () =>
        {
            relayed.Of(follower).CutAt(leader.Id, MessageType.ChangeMembersResponse);
            // A removal of an id that is no member changes nothing, and is committed like any change.
            int? status = follower.TryExchange("DELETE", $"/{id++}")?.Status;
            Assert.True(status is 204 or 504, $"{status}");
            Assert.False(relayed.Of(follower).IsTrapSet);
        });
    }

    [Fact]
    public void A_forwarded_write_whose_answer_is_lost_is_answered_before_its_time_is_up()
    {
        using RelayedCluster relayed = RelayedCluster.Start(3, "--request-timeout", "600000");
        ClusterNode leader = relayed.Cluster.WaitForLeader();
        ClusterNode follower = relayed.Cluster.Others(leader).First();
        Report("the lost answer to a forwarded write", relayed.Of(follower), leader, () =>
        {
            relayed.Of(follower).CutAt(leader.Id, MessageType.ForwardResponse);
            // The write is never sent twice, and no other message says under which position it was proposed.
            Assert.Equal(504, follower.TryExchange("PUT", "/key", "value"u8)?.Status);
            Assert.False(relayed.Of(follower).IsTrapSet);
        });
        Assert.Equal("value", Curl.Get(follower.Url("/key")).Text);
    }

    /// <param name="from">The member whose connection is cut.</param>
    private static void Report(string what, PeerRelay relay, ClusterNode from, Action cut)
    {
        List<double> times = [];
        for (int i = 0; i < Cuts; i++)
        {
            // An answer that is written while there is no connection is lost too, and nothing tells its receiver.
            Eventually.True(() => relay.Carries(from.Id), () => $"member {from.Id} dials again");
            long begun = Stopwatch.GetTimestamp();
            cut();
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        times.Sort();
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: answered after {times[Cuts / 2]:N0} ms, at most {times[^1]:N0} ms"));
    }
}
