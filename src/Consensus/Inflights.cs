using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>The appends sent to one follower and not yet acknowledged: a ring of (last index, bytes), oldest first.</summary>
internal sealed class Inflights(int countMax, int bytesMax)
{
    private readonly (long LastIndex, int Bytes)[] _appends = new (long, int)[countMax];
    private int _start;
    private int _count;
    private long _bytes;

    public bool IsEmpty => _count == 0;

    /// <summary>One append is always admitted, whatever its size.</summary>
    public bool IsFull => _count == _appends.Length || _bytes >= bytesMax;

    public void Add(long lastIndex, int bytes)
    {
        Invariant.Hold(!IsFull);
        _appends[(_start + _count) % _appends.Length] = (lastIndex, bytes);
        _count++;
        _bytes += bytes;
    }

    /// <summary>Every append up to <paramref name="index"/> has been acknowledged.</summary>
    public void FreeTo(long index)
    {
        while (_count > 0 && _appends[_start].LastIndex <= index)
        {
            _bytes -= _appends[_start].Bytes;
            _start = (_start + 1) % _appends.Length;
            _count--;
        }
    }

    public void Clear()
    {
        _start = 0;
        _count = 0;
        _bytes = 0;
    }
}
