using RaftFast.Protocol;

namespace RaftFast.Simulation.Network;

/// <summary>
/// Last answer of each kind between each pair of servers. An old answer is replayed at the most harmful moment.
/// </summary>
internal sealed class OldAnswers(int servers)
{
    private readonly Dictionary<MessageType, Message>[] answers = Create(servers * servers);

    public void Keep(in Message message, int from, int to)
    {
        if (message.Type is MessageType.VoteResponse or MessageType.AppendResponse && !message.Rejected)
            answers[from * servers + to][message.Type] = message;
    }

    /// <summary>
    /// Takes the answer that the receiver of <paramref name="request"/> gave to its sender in an earlier term.
    /// </summary>
    public bool TryTake(in Message request, int from, int to, out Message answer)
    {
        answer = default;
        MessageType type = request.Type switch
        {
            MessageType.Vote => MessageType.VoteResponse,
            MessageType.Append => MessageType.AppendResponse,
            _ => default,
        };
        Dictionary<MessageType, Message> given = answers[to * servers + from];
        return type != default
            && given.TryGetValue(type, out answer) && answer.Term < request.Term && given.Remove(type);
    }

    private static Dictionary<MessageType, Message>[] Create(int links)
    {
        Dictionary<MessageType, Message>[] created = new Dictionary<MessageType, Message>[links];
        for (int i = 0; i < links; i++)
            created[i] = [];
        return created;
    }
}
