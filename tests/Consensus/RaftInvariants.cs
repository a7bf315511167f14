using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>The properties of figure 3, and those of the disks, over a whole cluster; checked after every step.</summary>
internal sealed class RaftInvariants(TestServer[] servers)
{
    private readonly Dictionary<long, ulong> _leaders = [];
    private readonly long[] _versions = new long[servers.Length];
    private readonly List<(RecordHeader Entry, long Term)> _committed = [];
    private long _leadersTerms;

    public int Committed => _committed.Count;

    public void Check()
    {
        int before = _committed.Count;
        long leadersTerms = 0;
        foreach (TestServer server in servers)
        {
            if (!server.IsUp)
                continue;
            StateMachineSafety(server);
            Durability(server);
            if (server.Core.IsLeader)
            {
                Assert.Equal(server.Id, _leaders.GetValueOrDefault(server.Core.Term, server.Id)); // Election Safety
                _leaders[server.Core.Term] = server.Id;
                leadersTerms = (leadersTerms * 31) + server.Core.Term;
            }
        }
        if (_committed.Count > before || leadersTerms != _leadersTerms)
        {
            LeaderCompleteness();
            CommittedOnQuorum();
        }
        _leadersTerms = leadersTerms;
        LogMatching();
    }

    private void StateMachineSafety(TestServer server)
    {
        for (int i = server.Applied.Count - 1; i >= 0 && i >= _committed.Count - 1; i--)
        {
            if (i < _committed.Count)
                Assert.Equal(_committed[i].Entry, server.Applied[i]);
        }
        for (int i = _committed.Count; i < server.Applied.Count; i++)
            _committed.Add((server.Applied[i], server.Core.Term));
        if (server.Applied.Count > 0)
            Assert.Equal(_committed[server.Applied.Count - 1].Entry, server.Applied[^1]);
    }

    /// <summary>Durable says no more than the disk holds.</summary>
    private static void Durability(TestServer server)
    {
        int durable = (int)server.Core.Log.Durable;
        Assert.True(durable <= server.StableLog.Count);
        if (durable > 0)
            Assert.Equal(server.Log[durable - 1], server.StableLog[durable - 1]);
    }

    private void LeaderCompleteness()
    {
        foreach (TestServer leader in servers)
        {
            if (!leader.IsUp || !leader.Core.IsLeader)
                continue;
            for (int i = 0; i < _committed.Count; i++)
            {
                if (_committed[i].Term >= leader.Core.Term)
                    continue;
                Assert.True(i < leader.Log.Count);
                Assert.Equal(_committed[i].Entry, leader.Log[i]);
            }
        }
    }

    private void CommittedOnQuorum()
    {
        if (_committed.Count == 0)
            return;
        int last = _committed.Count - 1;
        int holders = servers.Count(server => server.StableLog.Count > last && server.StableLog[last] == _committed[last].Entry);
        Assert.True(holders > servers.Length / 2, "a committed entry isn't durable on a quorum");
    }

    private void LogMatching()
    {
        for (int i = 0; i < servers.Length; i++)
        {
            if (servers[i].LogVersion == _versions[i])
                continue;
            _versions[i] = servers[i].LogVersion;
            foreach (TestServer other in servers)
                LogMatching(servers[i].Log, other.Log);
        }
    }

    private static void LogMatching(List<RecordHeader> log, List<RecordHeader> other)
    {
        bool mustMatch = false;
        for (int i = Math.Min(log.Count, other.Count) - 1; i >= 0; i--)
        {
            mustMatch |= log[i].Position == other[i].Position;
            if (mustMatch && log[i] != other[i])
                Assert.Fail($"Log Matching: {log[i]} and {other[i]}");
        }
    }
}
