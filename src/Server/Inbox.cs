using System.Numerics;
using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Server;

/// <summary>
/// Everything from outside enters the loop through here: bounded, many producers, one consumer, no allocation. Items of one
/// producer are taken in the order in which it posted them.
/// <para>
/// A ring of slots with sequence numbers (Vyukov's bounded queue): a slot may be filled for position p when its sequence is p,
/// taken when it is p + 1, and is free again for p + capacity.
/// </para>
/// </summary>
internal sealed class Inbox
{
    private readonly Slot[] slots;
    private readonly int mask;

    /// <summary>
    /// Where the consumer sleeps. Measured, waking a thread costs its waker the same (10 µs on a 2-core virtual machine) with a
    /// monitor, an event or a futex; a semaphore is cheaper only by burning the other core in a spin.
    /// </summary>
    private readonly object bed = new();

    private Positions positions;

    /// <param name="capacity">Items that can be outstanding at once, or more: a full inbox is a bug.</param>
    public Inbox(int capacity)
    {
        Invariant.Hold(capacity > 0);
        slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)capacity)];
        mask = slots.Length - 1;
        for (int i = 0; i < slots.Length; i++)
            slots[i].Sequence = i;
    }

    /// <summary>Any thread.</summary>
    public void Post(object item)
    {
        if (item is InboxSignal signal && !signal.TryBeginWaiting())
            return;
        ref Slot slot = ref Claim(out long position);
        slot.Item = item;
        // Publishes, and is the full fence between that and the look at `Sleeping`; the consumer's is in Wait. Without both,
        // each side could miss what the other wrote, and the consumer would sleep on a full inbox.
        Interlocked.Exchange(ref slot.Sequence, position + 1);
        if (Volatile.Read(ref positions.Sleeping) == 0 || Interlocked.Exchange(ref positions.Sleeping, 0) == 0)
            return;
        lock (bed)
            Monitor.Pulse(bed);
    }

    /// <summary>Consumer only: takes what is there, in order, as far as <paramref name="destination"/> has room.</summary>
    /// <returns>How many items were taken.</returns>
    public int Drain(Span<object?> destination)
    {
        long head = positions.Head;
        int count = 0;
        while (count < destination.Length)
        {
            ref Slot slot = ref slots[head & mask];
            if (Volatile.Read(ref slot.Sequence) != head + 1)
                break;
            object? item = slot.Item;
            slot.Item = null;
            Volatile.Write(ref slot.Sequence, head + slots.Length);
            head++;
            (item as InboxSignal)?.EndWaiting();
            destination[count++] = item;
        }
        positions.Head = head;
        return count;
    }

    /// <summary>Consumer only: returns as soon as something is there, or after <paramref name="millisecondsMax"/>.</summary>
    /// <returns>Whether something is there.</returns>
    public bool Wait(int millisecondsMax)
    {
        Invariant.Hold(millisecondsMax >= 0);
        long deadline = Environment.TickCount64 + millisecondsMax;
        while (!HasItem)
        {
            long left = deadline - Environment.TickCount64;
            if (left <= 0)
                return false;
            Interlocked.Exchange(ref positions.Sleeping, 1);
            if (!HasItem)
                Sleep((int)left);
            Volatile.Write(ref positions.Sleeping, 0);
        }
        return true;
    }

    private void Sleep(int millisecondsMax)
    {
        lock (bed)
        {
            // A producer clears `Sleeping` before it pulses: it is either seen here, or it finds the consumer waiting.
            if (Volatile.Read(ref positions.Sleeping) != 0)
                Monitor.Wait(bed, millisecondsMax);
        }
    }

    private bool HasItem => Volatile.Read(ref slots[positions.Head & mask].Sequence) == positions.Head + 1;

    private ref Slot Claim(out long position)
    {
        position = Volatile.Read(ref positions.Tail);
        while (true)
        {
            ref Slot slot = ref slots[position & mask];
            long ahead = Volatile.Read(ref slot.Sequence) - position;
            Invariant.Hold(ahead >= 0);
            long seen = position;
            if (ahead == 0)
                seen = Interlocked.CompareExchange(ref positions.Tail, position + 1, position);
            if (ahead == 0 && seen == position)
                return ref slot;
            position = ahead == 0 ? seen : Volatile.Read(ref positions.Tail);
        }
    }

    private struct Slot
    {
        public long Sequence;
        public object? Item;
    }

    /// <summary>A cache line (two, as processors prefetch in pairs) for each side, so that they don't slow each other down.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private struct Positions
    {
        /// <summary>Next position to fill; producers.</summary>
        [FieldOffset(128)]
        public long Tail;

        /// <summary>Next position to take; consumer.</summary>
        [FieldOffset(256)]
        public long Head;

        /// <summary>1 while the consumer sleeps or is about to. Whoever sets it back to 0 wakes it.</summary>
        [FieldOffset(384)]
        public int Sleeping;
    }
}
