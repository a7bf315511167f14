using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Protocol;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>
/// The connection from the leader to a follower breaks again and again, while the follower forwards requests. A request
/// that waited for a lost answer would wait until its time is up, which is much longer than a client waits here.
/// </summary>
public sealed class LostAnswersTests : IDisposable
{
    private const int Rounds = 8;
    private const int WritesInRound = 10;

    private readonly RelayedCluster relayed = RelayedCluster.Start(3, "--request-timeout", "600000");
    private readonly ClusterNode leader;
    private readonly ClusterNode follower;
    private readonly PeerRelay relay;
    private readonly HttpConnection client;

    public LostAnswersTests()
    {
        leader = relayed.Cluster.WaitForLeader();
        follower = relayed.Cluster.Others(leader).First();
        relay = relayed.Of(follower);
        client = HttpConnection.Open(follower.HttpPort);
    }

    public void Dispose()
    {
        client.Dispose();
        relayed.Dispose();
    }

    [Fact]
    public void Writes_whose_answer_is_lost_have_an_unknown_outcome_at_once()
    {
        for (int round = 0; round < Rounds; round++)
            AssertUnknown(MessageType.ForwardResponse, "PUT", $"/lost/{round}", "value");
    }

    [Fact]
    public void Writes_wait_until_the_leader_can_answer()
    {
        List<string> done = [];
        int unknown = 0;
        for (int round = 0; round < Rounds; round++)
        {
            relay.Block(leader.Id);
            for (int i = 0; i < WritesInRound; i++)
                client.Send("PUT", $"/held/{round}/{i}", "value"u8);
            relay.Unblock(leader.Id);
            for (int i = 0; i < WritesInRound; i++)
            {
                int status = client.Receive().Status;
                // The follower may have forwarded some before it learned that the connection had ended.
                Assert.True(status is 204 or 504, $"{status}, {relayed.Cluster}");
                if (status == 204)
                    done.Add($"/held/{round}/{i}");
                else
                    unknown++;
            }
        }
        Assert.True(done.Count > 0, $"none of {unknown} writes was held back, {relayed.Cluster}");
        foreach (string key in done)
            Assert.Equal("value", client.Exchange("GET", key).Text);
    }

    [Fact]
    public void Membership_changes_fare_as_writes_do()
    {
        string target = $"/{follower.Id}";
        for (int round = 0; round < Rounds; round++)
        {
            AssertUnknown(MessageType.ChangeMembersResponse, "POST", target, follower.PeerUrl);
            relay.Block(leader.Id);
            client.Send("POST", target, System.Text.Encoding.ASCII.GetBytes(follower.PeerUrl));
            relay.Unblock(leader.Id);
            int status = client.Receive().Status;
            Assert.True(status is 204 or 504, $"{status}, {relayed.Cluster}");
        }
    }

    /// <summary>Asserts that a request's outcome is unknown if the connection is cut at the answer to it.</summary>
    private void AssertUnknown(MessageType answer, string method, string target, string body)
    {
        relay.CutAt(leader.Id, answer);
        int status = client.Exchange(method, target, System.Text.Encoding.ASCII.GetBytes(body)).Status;
        Assert.False(relay.IsTrapSet, $"another member leads, {relayed.Cluster}");
        Assert.True(status == 504, $"{status}, {relayed.Cluster}");
    }
}
