using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

/// <summary>
/// kill -9 of any node at any moment of a membership change. A restarted node finds its place in the cluster, or learns
/// that it was removed.
/// </summary>
public sealed class MembershipKillTests
{
    private const int Rounds = 16;
    private const int MembersMax = 5;

    [Fact]
    public void Members_that_come_go_and_are_killed_meanwhile_converge()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        using Cluster cluster = Cluster.Start(3);
        List<ClusterNode> members = [.. cluster.Nodes];
        using Writer writer = new(0, [.. cluster.Nodes]);
        long begun = Environment.TickCount64;
        int rounds = 0;
        while (rounds++ < Rounds && Environment.TickCount64 - begun < 30_000)
        {
            bool adds = members.Count == 2 || (members.Count < MembersMax && random.Next(2) == 0);
            // The first member stays, because it gets the requests.
            ClusterNode changed = adds ? cluster.PrepareMember() : members[random.Next(1, members.Count)];
            if (adds)
                members.Add(changed);
            int enough = writer.Acknowledged + 5;
            ChangeAndKill(cluster, members, changed, adds, random);
            if (adds)
            {
                Operator.WaitUntilVoter(cluster, changed);
            }
            else
            {
                members.Remove(changed);
                Operator.AssertStopsByItself(changed);
            }
            foreach (ClusterNode member in members)
                member.WaitUntilReady();
            Eventually.True(() => writer.Acknowledged >= enough, () => $"writes continue, seed {seed}, {cluster}");
        }
        writer.Stop();
        Assert.True(writer.Violations.Count == 0, $"{string.Join('\n', writer.Violations)}\nseed {seed}, {cluster}");
        Verification.EveryMemberKeeps(writer.WritesFrom(0), members);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{rounds - 1} rounds, {cluster.Nodes.Count} ids, {writer.Acknowledged} writes");
    }

    private static void ChangeAndKill(
        Cluster cluster, List<ClusterNode> members, ClusterNode changed, bool adds, Random random)
    {
        ClusterNode asked = members[0];
        if (adds && random.Next(2) == 0)
            changed.StartJoining(cluster.Urls);
        Task<CurlResult> change = Task.Run(() => Request(asked, changed, adds));
        RandomFaults.Wait(random.Next(0, 30));
        if (adds && !changed.IsStarted)
            changed.StartJoining(cluster.Urls);
        RandomFaults.Wait(random.Next(0, 60));

        ClusterNode victim = random.Next(3) switch
        {
            0 => changed,
            1 => cluster.Leader is { } leader && members.Contains(leader) ? leader : changed,
            _ => members[random.Next(members.Count)],
        };
        if (victim.Runs)
            victim.Process.BeginKill();
        victim.Process.WaitForExit();
        victim.Restart();

        // A request answered 503 did nothing. A request answered 504, or not at all, may have taken effect. Both are
        // safe to repeat.
        CurlResult answer = change.GetAwaiter().GetResult();
        Eventually.True(
            () => answer.Status == 204 || (answer = Request(asked, changed, adds)).Status == 204,
            () => $"{(adds ? "POST" : "DELETE")} of {changed.Id}: {answer}\n{cluster}");
    }

    private static CurlResult Request(ClusterNode asked, ClusterNode changed, bool adds) =>
        adds ? Operator.Post(asked, changed.Id, changed.PeerUrl) : Operator.Delete(asked, changed.Id);
}
