using System.Numerics;
using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Server.Threads;

/// <summary>
/// Everything from outside enters the loop through here: bounded, many producers, one consumer at a time, no allocation. Items of one
/// producer are taken in the order in which it posted them.
/// <para>
/// Whoever has the turn is the loop, and only that thread takes items. A producer that finds the turn free may take it and do the
/// loop's work itself (<see cref="PostAndRun"/>): waking another thread for it costs more than most of that work.
/// </para>
/// <para>
/// A ring of slots with sequence numbers (Vyukov's bounded queue): a slot may be filled for position p when its sequence is p,
/// taken when it is p + 1, and is free again for p + capacity.
/// </para>
/// </summary>
internal sealed class Inbox
{
    /// <summary>Batches that a socket thread runs before it returns to its other connections.</summary>
    public const int SocketThreadBatchesMax = 4;

    private const int Free = 0;
    private const int Taken = 1;

    private readonly Slot[] slots;
    private readonly int mask;

    /// <summary>Where the loop's own thread sleeps.</summary>
    private readonly Parker parker = new();
    private readonly Func<bool> hasWork;

    private Positions positions;
    private Action<int>? run;

    /// <param name="capacity">Items that can be outstanding at once, or more: a full inbox is a bug.</param>
    public Inbox(int capacity)
    {
        Invariant.Hold(capacity > 0);
        slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)capacity)];
        mask = slots.Length - 1;
        for (int i = 0; i < slots.Length; i++)
            slots[i].Sequence = i;
        positions.Turn = Taken;
        hasWork = () => HasWork;
    }

    /// <summary>Any thread. Whoever has the turn takes the item; if nobody has, the loop's own thread is woken.</summary>
    public void Post(object item)
    {
        if (TryAdd(item) && Volatile.Read(ref positions.Turn) == Free)
            parker.Unpark();
    }

    /// <summary>As <see cref="Post"/>, but of a thread that calls <see cref="Run"/> next, after some more perhaps.</summary>
    public void Add(object item) => TryAdd(item);

    /// <summary>Any thread that holds no lock. If nobody has the turn, this thread takes it for a while; who has it takes what was added.</summary>
    /// <param name="batchesMax">After so many batches, what is left is for the loop's own thread.</param>
    public void Run(int batchesMax)
    {
        if (TryTakeTurn())
            run!(batchesMax);
    }

    public void PostAndRun(object item, int batchesMax)
    {
        if (TryAdd(item))
            Run(batchesMax);
    }

    /// <summary>Until now the turn was nobody's to take, and what was posted had to wait.</summary>
    /// <param name="runWithTurn">Does the loop's work, for so many batches at most, and then gives the turn back.</param>
    public void Open(Action<int> runWithTurn)
    {
        Invariant.Hold(run is null);
        run = runWithTurn;
        GiveTurnBack(isDone: true);
    }

    public bool TryTakeTurn() =>
        Volatile.Read(ref positions.Turn) == Free && Interlocked.CompareExchange(ref positions.Turn, Taken, Free) == Free;

    /// <param name="isDone">False if there is more to do, which the loop's own thread is woken for; for items it is anyway.</param>
    public void GiveTurnBack(bool isDone)
    {
        Volatile.Write(ref positions.Undone, !isDone);
        // The full fence between this and the look at what was posted meanwhile. The producer's is in TryAdd.
        Interlocked.Exchange(ref positions.Turn, Free);
        if (HasWork)
            parker.Unpark();
    }

    /// <summary>With the turn only: takes what is there, in order, as far as <paramref name="destination"/> has room.</summary>
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
        Volatile.Write(ref positions.Head, head);
        return count;
    }

    /// <summary>The loop's own thread, without the turn: returns as soon as there is something to do, or after <paramref name="millisecondsMax"/>.</summary>
    /// <returns>Whether there is.</returns>
    public bool Wait(int millisecondsMax) => parker.Await(hasWork, millisecondsMax);

    /// <summary>The loop's own thread: another has the turn. Returns when that has left something to do, or after <paramref name="millisecondsMax"/>.</summary>
    public void WaitForTurn(int millisecondsMax)
    {
        parker.Announce();
        if (Volatile.Read(ref positions.Turn) == Free)
            parker.Withdraw();
        else
            parker.Park(millisecondsMax);
    }

    /// <summary>Whether there is something to take. With the turn, or about to take it.</summary>
    public bool HasItem => Volatile.Read(ref slots[Volatile.Read(ref positions.Head) & mask].Sequence) == Volatile.Read(ref positions.Head) + 1;

    private bool HasWork => HasItem || Volatile.Read(ref positions.Undone);

    /// <returns>False if it is a signal that waits here already.</returns>
    private bool TryAdd(object item)
    {
        if (item is InboxSignal signal && !signal.TryBeginWaiting())
            return false;
        ref Slot slot = ref Claim(out long position);
        slot.Item = item;
        // Publishes, and is the full fence between that and the look at the turn and at who sleeps. Without both fences, each side
        // could miss what the other wrote, and the item would lie there with nobody on its way.
        Interlocked.Exchange(ref slot.Sequence, position + 1);
        return true;
    }

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

        [FieldOffset(384)]
        public int Turn;

        /// <summary>Whoever had the turn last left something that is no item.</summary>
        [FieldOffset(388)]
        public bool Undone;
    }
}

/// <summary>
/// An item that says only that something is so: posting it again while it waits in the inbox does nothing. One object says it
/// for ever, and whoever posts it takes one place of the inbox at most.
/// </summary>
internal abstract class InboxSignal
{
    private int waiting;

    /// <summary>Posted, and not taken by the loop yet.</summary>
    public bool IsWaiting => Volatile.Read(ref waiting) != 0;

    /// <returns>False if it waits already.</returns>
    internal bool TryBeginWaiting() => Interlocked.Exchange(ref waiting, 1) == 0;

    /// <summary>From here on a new post counts: what it says is not known to the loop yet.</summary>
    internal void EndWaiting() => Interlocked.Exchange(ref waiting, 0);
}
