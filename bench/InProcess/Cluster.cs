using System.Diagnostics;
using RaftFast.Protocol;

namespace RaftFast.Bench.InProcess;

/// <summary>All members of a cluster, in this process and on one disk.</summary>
internal sealed class Cluster : IDisposable
{
    private static readonly TimeSpan ElectionPatience = TimeSpan.FromSeconds(20);

    private readonly string directory = Directory.CreateTempSubdirectory("raftfast-bench-").FullName;
    private readonly Member[] members;

    /// <summary>Starts the members, and returns when one of them is the leader.</summary>
    public Cluster(int size)
    {
        PeerAddress[] addresses = new PeerAddress[size];
        for (int i = 0; i < size; i++)
            addresses[i] = new PeerAddress("127.0.0.1", 9021 + i);
        ClusterConfiguration configuration = ClusterConfiguration.Bootstrap(addresses);
        members = new Member[size];
        for (int i = 0; i < size; i++)
        {
            string own = Directory.CreateDirectory(Path.Combine(directory, $"{i + 1}")).FullName;
            members[i] = new Member((ulong)(i + 1), configuration, own);
        }
        for (int i = 0; i < size; i++)
        {
            for (int k = 0; k < size; k++)
            {
                if (k != i)
                    members[i].Network.Connect((ulong)(k + 1), members[k].Inbox);
            }
        }
        foreach (Member member in members)
            member.Start();
        long begun = Stopwatch.GetTimestamp();
        while (!members.Any(member => member.IsLeader))
        {
            if (Stopwatch.GetElapsedTime(begun) > ElectionPatience)
                throw new InvalidOperationException("no member became leader");
            Thread.Sleep(10);
        }
    }

    public Member Leader => members.First(member => member.IsLeader);

    public void Dispose()
    {
        foreach (Member member in members)
            member.Dispose();
        Directory.Delete(directory, recursive: true);
    }
}
