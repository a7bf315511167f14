using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// What the core wants done, gathered over a batch of inputs and reused. Messages may leave only once the core's
/// HardState of that moment is durable (Raft paper, figure 2: "updated on stable storage before responding to RPCs").
/// Appends aren't here: they are pulled with <see cref="RaftCore.TryNextAppend"/>, because only the caller knows bytes.
/// </summary>
public sealed class Ready
{
    public List<Message> Messages { get; } = new(64);

    public List<ReadState> Reads { get; } = new(16);
}
