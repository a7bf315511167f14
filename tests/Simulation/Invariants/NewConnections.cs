using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Simulation.Servers;
using RaftFast.Storage.Log;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Judges one server's reaction to new connections from its peers. A follower drops acknowledgements while it has no
/// connection. So the leader probes the follower in the same batch, unless an acknowledgement comes in that batch, or
/// the leader has to read the entry first.
/// </summary>
internal sealed class NewConnections(ServerProcess process)
{
    private readonly List<(ulong Peer, long AppendsBefore)> announced = [];

    /// <summary>The server has learned that this peer has dialled it.</summary>
    public void Announced(ulong peer) => announced.Add((peer, process.Network.AppendsTo(peer)));

    /// <summary>Called at the end of a batch.</summary>
    public void Judge()
    {
        if (announced.Count == 0)
            return;
        RaftCore core = process.Node!.Core;
        // Before the first append of a term, term and vote may not be durable yet.
        if (core.IsLeader && core.Term == process.Network.LastAppendTerm)
        {
            foreach (FollowerProgress follower in core.Followers())
                Judge(follower);
        }
        announced.Clear();
    }

    /// <summary>True if the entry is not in memory, or has been compacted at the end of this batch.</summary>
    private bool NeedsRead(long index)
    {
        Wal log = process.Log!;
        return index < log.FirstIndex
            || (index <= log.Last.Index && log.MeasureInMemory(index, index, 1, out _) == 0);
    }

    private void Judge(in FollowerProgress follower)
    {
        foreach ((ulong peer, long before) in announced)
        {
            bool mustProbe = peer == follower.Id && follower.State == ProgressState.Probe && !NeedsRead(follower.Next);
            if (mustProbe && process.Network.CanSend(peer) && process.Network.AppendsTo(peer) == before)
            {
                throw new InvariantException(
                    $"server {process.Server.Id}: a leader does not probe a follower that has dialled it anew");
            }
        }
    }
}
