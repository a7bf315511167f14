using System.Numerics;
using RaftFast.Protocol;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Inbound;

/// <summary>Verified whole frames from one peer, contiguous in one buffer, in the order of their arrival.</summary>
internal sealed class PeerBatch
{
    private readonly WakeSignal released;
    private byte[] buffer;
    private int framesLength;
    private int taken;

    /// <param name="released">Signal that each <see cref="Release"/> sets.</param>
    public PeerBatch(ulong from, int capacity, WakeSignal released)
    {
        From = from;
        this.released = released;
        buffer = Allocate(capacity);
    }

    public ulong From { get; }

    /// <summary>
    /// The frames, valid until <see cref="Release"/>. The loop may stamp the frames' records
    /// (<see cref="Record.Stamp"/>).
    /// </summary>
    public Span<byte> Frames => buffer.AsSpan(0, framesLength);

    /// <summary>Returns the buffer to its connection. The loop calls this when it no longer needs the frames.</summary>
    public void Release()
    {
        framesLength = 0;
        Invariant.Hold(Interlocked.Exchange(ref taken, 0) != 0);
        released.Set();
    }

    /// <summary>
    /// Takes the batch for the receiving side; returns false if the batch is taken. The batch stays taken until the
    /// loop releases it.
    /// </summary>
    internal bool TryTake() => Interlocked.CompareExchange(ref taken, 1, 0) == 0;

    internal byte[] Buffer => buffer;

    /// <summary>
    /// Makes room for a frame of <paramref name="capacity"/> bytes, and keeps the first <paramref name="length"/>
    /// bytes.
    /// </summary>
    internal void EnsureCapacity(int capacity, int length)
    {
        if (capacity <= buffer.Length)
            return;
        // Allocate more than the capacity: otherwise frames that grow little by little would need a new buffer each
        // time.
        byte[] larger = Allocate((int)BitOperations.RoundUpToPowerOf2((uint)capacity));
        buffer.AsSpan(0, length).CopyTo(larger);
        buffer = larger;
    }

    /// <summary>Starts with the part of a frame that came after the last batch, which may be this object.</summary>
    internal void Begin(ReadOnlySpan<byte> part, int frameLength)
    {
        EnsureCapacity(frameLength, 0);
        part.CopyTo(buffer);
    }

    /// <summary>Sets <see cref="Frames"/> to the first <paramref name="length"/> bytes.</summary>
    internal void Complete(int length) => framesLength = length;

    private static byte[] Allocate(int capacity) => GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
}
