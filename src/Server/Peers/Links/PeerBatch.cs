using System.Numerics;
using RaftFast.Protocol;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

/// <summary>Verified whole frames from one member, back to back in one contiguous buffer, in the order of their arrival.</summary>
internal sealed class PeerBatch
{
    private readonly WakeSignal released;
    private byte[] buffer;
    private int framesLength;
    private int taken;

    /// <param name="released">Set at each <see cref="Release"/>.</param>
    public PeerBatch(ulong from, int capacity, WakeSignal released)
    {
        From = from;
        this.released = released;
        buffer = Allocate(capacity);
    }

    public ulong From { get; }

    /// <summary>Valid until <see cref="Release"/>; the loop may write positions into records (<see cref="Record.Stamp"/>).</summary>
    public Span<byte> Frames => buffer.AsSpan(0, framesLength);

    /// <summary>Loop thread, once it has taken what it needs: the buffer goes back to its connection.</summary>
    public void Release()
    {
        framesLength = 0;
        Invariant.Hold(Interlocked.Exchange(ref taken, 0) != 0);
        released.Set();
    }

    /// <summary>Receiving side: makes the batch its own, until it has posted it and the loop has released it.</summary>
    internal bool TryTake() => Interlocked.CompareExchange(ref taken, 1, 0) == 0;

    internal byte[] Buffer => buffer;

    /// <summary>Room for a frame of <paramref name="capacity"/> bytes, of which the first <paramref name="length"/> are kept.</summary>
    internal void EnsureCapacity(int capacity, int length)
    {
        if (capacity <= buffer.Length)
            return;
        // More than asked for: frames that grow little by little would have a buffer each.
        byte[] larger = Allocate((int)BitOperations.RoundUpToPowerOf2((uint)capacity));
        buffer.AsSpan(0, length).CopyTo(larger);
        buffer = larger;
    }

    /// <summary>Starts with the part of a frame that came behind the batch before, which may have been this one.</summary>
    internal void Begin(ReadOnlySpan<byte> part, int frameLength)
    {
        EnsureCapacity(frameLength, 0);
        part.CopyTo(buffer);
    }

    /// <summary>Makes the first <paramref name="length"/> bytes what the loop sees.</summary>
    internal void Complete(int length) => framesLength = length;

    private static byte[] Allocate(int capacity) => GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
}
