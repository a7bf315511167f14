using RaftFast.Server.Node;

namespace RaftFast.Server.Loop;

/// <summary>An item of the inbox that reads the node's state, or asks for one change, on the loop's turn.</summary>
internal abstract class LoopQuestion
{
    /// <summary>
    /// Maximum questions in the inbox at once: a page, a scraper and a few operators. Further questions wait outside
    /// the inbox.
    /// </summary>
    public const int OutstandingMax = 8;

    public abstract void Answer(RaftNode node);
}

/// <param name="ask">Runs with the turn, so it returns at once.</param>
internal sealed class LoopQuestion<T>(Func<RaftNode, T> ask) : LoopQuestion
{
    private readonly TaskCompletionSource<T> answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Answered => answered.Task;

    public override void Answer(RaftNode node) => answered.TrySetResult(ask(node));
}
