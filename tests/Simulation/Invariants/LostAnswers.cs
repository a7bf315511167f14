using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Answers to forwarded writes and membership changes that were lost with a connection, or for want of one. Once the
/// server that waits hears the other one on a later connection, it no longer waits for these answers.
/// </summary>
internal sealed class LostAnswers(Cluster cluster)
{
    private readonly List<(int From, int To, int Epoch, Message Answer)> lost = [];

    public static bool IsAnswer(MessageType type) =>
        type is MessageType.ForwardResponse or MessageType.ChangeMembersResponse;

    /// <summary>Notes that an answer is lost. A message of another type is ignored.</summary>
    /// <param name="epoch">
    /// Epoch of the link at the loss. A frame with a greater epoch has come on a later connection.
    /// </param>
    public void Add(int from, int to, int epoch, in Message message)
    {
        Message answer = message with { From = (ulong)from + 1 };
        if (!IsAnswer(message.Type) || cluster.Servers[to].Node is not { } node || !node.Awaits(answer))
            return;
        cluster.Counters[Counter.AnswersLost]++;
        lost.Add((from, to, epoch, answer));
    }

    /// <summary>Called when a server has processed a batch of inputs.</summary>
    public static void OnStepped(RaftNode node)
    {
        // A message that waits for a write may be dropped, and its receiver would not learn of the loss.
        foreach (Message held in node.Core.Ready.Messages)
        {
            if (IsAnswer(held.Type) && !node.Core.IsLeader)
                throw new InvariantException($"server {held.From}: an answer waits for a term that it does not need");
        }
    }

    /// <summary>Called when a server has taken a frame.</summary>
    public void OnTaken(in FrameInFlight frame, RaftNode node)
    {
        for (int i = lost.Count - 1; i >= 0 && !frame.IsReplay; i--)
        {
            (int from, int to, int epoch, Message answer) = lost[i];
            if (from != frame.From || to != frame.To || epoch >= frame.Epoch)
                continue;
            lost.RemoveAt(i);
            if (node.Awaits(answer))
            {
                throw new InvariantException(
                    $"server {to + 1}: waits for an answer that was lost before the present connection");
            }
        }
    }
}
