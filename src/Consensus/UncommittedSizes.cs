using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Sizes of the entries that this leader has proposed and that are not committed. A new leader begins without sizes:
/// the uncommitted entries of former leaders were within those leaders' bounds.
/// </summary>
internal sealed class UncommittedSizes
{
    private readonly Queue<int> sizes = new();
    private long committed;

    public long Bytes { get; private set; }

    public void Begin(long lastIndex)
    {
        sizes.Clear();
        committed = lastIndex;
        Bytes = 0;
    }

    public void Add(int bytes)
    {
        sizes.Enqueue(bytes);
        Bytes += bytes;
    }

    public void CommitTo(long index)
    {
        for (; committed < index; committed++)
            Bytes -= sizes.Dequeue();
        Invariant.Hold(Bytes >= 0);
    }
}
