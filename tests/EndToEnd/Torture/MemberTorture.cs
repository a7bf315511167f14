using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Torture;

/// <summary>Faults of one cluster, one after the other.</summary>
internal sealed class MemberTorture(RelayedCluster relayed, Random random, TortureCounts counts)
{
    private readonly Cluster cluster = relayed.Cluster;

    /// <summary>Members that were not removed. A removal with an unknown outcome counts.</summary>
    private readonly List<ClusterNode> members = [.. relayed.Cluster.Nodes];

    /// <summary>Causes one fault, and ends it.</summary>
    public void Strike()
    {
        ClusterNode victim = random.Next(3) > 0 && cluster.Leader is { } leader && members.Contains(leader)
            ? leader
            : members[random.Next(members.Count)];
        int pause = random.Next(100, 1500);
        switch (random.Next(7))
        {
            case 0 or 1:
                counts.Kills++;
                victim.Kill();
                RandomFaults.Wait(pause / 3);
                victim.Restart();
                break;
            case 2 or 3:
                counts.Pauses++;
                victim.Process.Pause();
                RandomFaults.Wait(pause);
                victim.Process.Resume();
                break;
            case 4 or 5:
                counts.Partitions++;
                Partition(victim);
                RandomFaults.Wait(pause);
                relayed.Cut((_, _) => false);
                break;
            default:
                Change();
                break;
        }
        RandomFaults.Wait(random.Next(100, 1500));
    }

    /// <summary>Waits until every member answers reads.</summary>
    public void WaitUntilReady()
    {
        foreach (ClusterNode member in members)
            member.WaitUntilReady();
    }

    /// <summary>Isolates a member, mutes it, splits the cluster, or cuts some of the ways between members.</summary>
    private void Partition(ClusterNode victim)
    {
        int kind = random.Next(4);
        HashSet<ClusterNode> side = [.. cluster.Nodes.Where(_ => random.Next(2) == 0)];
        relayed.Cut((from, to) => kind switch
        {
            0 => from == victim || to == victim,
            1 => from == victim,
            2 => side.Contains(from) != side.Contains(to),
            _ => random.Next(3) == 0,
        });
    }

    /// <summary>Adds a member, or removes one if more than three remain.</summary>
    private void Change()
    {
        ClusterNode via = members[random.Next(members.Count)];
        if (members.Count > 3 && random.Next(2) == 0)
        {
            ClusterNode removed = members[random.Next(members.Count)];
            int? status = via.TryExchange("DELETE", $"/{removed.Id}")?.Status;
            // Refused: the member stays.
            if (status is 409 or 503)
                return;
            counts.Removed += status == 204 ? 1 : 0;
            members.Remove(removed);
            return;
        }
        ClusterNode added = relayed.StartJoining();
        if (via.TryExchange("POST", $"/{added.Id}", System.Text.Encoding.ASCII.GetBytes(added.PeerUrl))?.Status != 204)
            return;
        counts.Added++;
        members.Add(added);
    }
}
