using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Output of the core, collected over a batch of inputs; the object is reused. Messages may leave only when the core's
/// HardState of that moment is durable (Raft paper, figure 2: "updated on stable storage before responding to RPCs").
/// Appends are not here: the caller pulls them with <see cref="RaftCore.TryNextAppend"/>, because only the caller knows
/// their bytes.
/// </summary>
public sealed class Ready
{
    public List<Message> Messages { get; } = new(64);

    public List<ReadState> Reads { get; } = new(16);
}

/// <summary>
/// A confirmed read request (thesis §6.4). All reads that the request covers may be answered once Index is applied.
/// </summary>
public readonly record struct ReadState(long Context, long Index);
