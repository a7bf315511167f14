using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Appends sent to one follower and not yet acknowledged: a ring of (last index, bytes), the oldest first.
/// </summary>
internal sealed class Inflights(int countMax, int bytesMax)
{
    private readonly (long LastIndex, int Bytes)[] appends = new (long, int)[countMax];
    private int start;
    private int count;
    private long bytes;

    public int Count => count;

    public bool IsEmpty => count == 0;

    /// <summary>True if no further append may be sent. One append of any size is always admitted.</summary>
    public bool IsFull => count == appends.Length || bytes >= bytesMax;

    public void Add(long lastIndex, int appendBytes)
    {
        Invariant.Hold(!IsFull);
        appends[(start + count) % appends.Length] = (lastIndex, appendBytes);
        count++;
        bytes += appendBytes;
    }

    /// <summary>Removes the appends that end at or before <paramref name="index"/>, which are acknowledged.</summary>
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
