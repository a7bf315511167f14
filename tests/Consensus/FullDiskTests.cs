using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Followers say in each answer if their logs have room, and a leader without room hands over.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public void Follower_says_in_each_answer_if_its_log_has_room()
    {
        TestCore follower = new();
        follower.Core.LacksRoom = true;
        follower.Append(from: 2, term: 1, default, [1]);
        follower.Core.DurableTo(follower.Log.Last);
        Message acknowledgement = Assert.Single(follower.Sent());
        Assert.Equal((MessageType.AppendResponse, 1), (acknowledgement.Type, acknowledgement.Count));
        Message heartbeat = new() { Type = MessageType.Heartbeat, From = 2, Term = 1 };
        Assert.Equal(1, follower.Receive(heartbeat).Count);
        follower.Core.LacksRoom = false;
        Assert.Equal(0, follower.Receive(heartbeat).Count);
    }

    [Fact]
    public void Majority_lacks_room_only_while_the_followers_say_so()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        Assert.False(leader.Core.MajorityLacksRoom);
        Answer(leader, 2, lacksRoom: true);
        Assert.False(leader.Core.MajorityLacksRoom);
        Answer(leader, 3, lacksRoom: true);
        Assert.True(leader.Core.MajorityLacksRoom);
        Answer(leader, 2, lacksRoom: false);
        Assert.False(leader.Core.MajorityLacksRoom);
        leader.Core.LacksRoom = true;
        Assert.True(leader.Core.MajorityLacksRoom);
    }

    [Fact]
    public void Silent_voter_gives_no_majority_room()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Tick(TestCore.ElectionTicks + 1);
        Assert.True(leader.Core.IsLeader);
        Assert.False(leader.Core.MajorityLacksRoom); // no follower has said so
        Answer(leader, 2, lacksRoom: true);
        Assert.True(leader.Core.MajorityLacksRoom);
        Answer(leader, 3, lacksRoom: false);
        Assert.False(leader.Core.MajorityLacksRoom);
    }

    [Fact]
    public void Full_leader_hands_over_to_a_voter_with_room_once_a_minute_at_most()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3, 4, 5]));
        leader.Core.LacksRoom = true;
        Answer(leader, 2, lacksRoom: true);
        Answer(leader, 3, lacksRoom: true);
        leader.Core.Tick();
        Assert.False(leader.Core.IsHandingOver); // no majority without it has room
        Answer(leader, 3, lacksRoom: false);
        leader.Core.Tick();
        Assert.True(leader.Core.IsHandingOver);
        Assert.Equal(3UL, Assert.Single(leader.Sent(), message => message.Type == MessageType.TimeoutNow).To);

        int ticks = 1;
        for (bool wasHandingOver = true; !leader.Core.IsHandingOver || wasHandingOver; ticks++)
        {
            for (ulong peer = 2; peer <= 5; peer++)
                Answer(leader, peer, lacksRoom: peer == 2);
            wasHandingOver = leader.Core.IsHandingOver;
            leader.Core.Tick();
        }
        Assert.Equal(TestCluster.Options.FullHandOverTicks, ticks - 1);
    }

    private static void Answer(TestCore leader, ulong from, bool lacksRoom) => leader.Receive(new Message
    {
        Type = MessageType.HeartbeatResponse,
        From = from,
        Term = leader.Core.Term,
        Count = lacksRoom ? 1 : 0,
    });
}
