using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>The appends sent to one follower and not yet acknowledged: a ring of (last index, bytes), oldest first.</summary>
internal sealed class Inflights(int countMax, int bytesMax)
{
    private readonly (long LastIndex, int Bytes)[] appends = new (long, int)[countMax];
    private int start;
    private int count;
    private long bytes;

    public int Count => count;

    public bool IsEmpty => count == 0;

    /// <summary>One append is always admitted, whatever its size.</summary>
    public bool IsFull => count == appends.Length || bytes >= bytesMax;

    public void Add(long lastIndex, int appendBytes)
    {
        Invariant.Hold(!IsFull);
        appends[(start + count) % appends.Length] = (lastIndex, appendBytes);
        count++;
        bytes += appendBytes;
    }

    /// <summary>Every append up to <paramref name="index"/> has been acknowledged.</summary>
    public void FreeTo(long index)
    {
        while (count > 0 && appends[start].LastIndex <= index)
        {
            bytes -= appends[start].Bytes;
            start = (start + 1) % appends.Length;
            count--;
        }
    }

    public void Clear()
    {
        start = 0;
        count = 0;
        bytes = 0;
    }
}
