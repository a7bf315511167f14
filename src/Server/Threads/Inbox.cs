using System.Numerics;
using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Server.Threads;

/// <summary>
/// The only way into the loop for everything from outside: a bounded queue for many producers and one consumer at a
/// time, without allocation. The loop takes the items of one producer in the order in which the producer posted them.
/// <para>
/// The thread that has the turn is the loop, and only that thread takes items. A producer that finds the turn free may
/// take it and do the loop's work itself (<see cref="PostAndRun"/>). Waking another thread costs more than most of that
/// work.
/// </para>
/// <para>
/// The queue is a ring of slots with sequence numbers (Vyukov's bounded queue). A slot may be filled for position p
/// when its sequence is p, and taken when its sequence is p + 1. A taken slot is free for position p + capacity.
/// </para>
/// </summary>
internal sealed class Inbox
{
    /// <summary>
    /// Maximum batches of the loop that a socket thread runs before it returns to its other connections.
    /// </summary>
    public const int SocketThreadBatchesMax = 4;

    private const int Free = 0;
    private const int Taken = 1;

    private readonly Slot[] slots;
    private readonly int mask;

    /// <summary>The loop's own thread sleeps here.</summary>
    private readonly Parker parker = new();
    private readonly Func<bool> hasWork;

    /// <summary>Inbox whose loop waits for the end of this thread's round, or null.</summary>
    [ThreadStatic]
    private static Inbox? inRound;

    [ThreadStatic]
    private static bool hasPostedInRound;

    private Positions positions;
    private Action<int>? run;
    private volatile bool isHeld;

    /// <param name="capacity">Items that can be outstanding at once, or more. A full inbox is a bug.</param>
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

    /// <summary>
    /// True while this thread runs the loop and could make another round at once. The loop may then hold writes.
    /// </summary>
    [field: ThreadStatic]
    public static bool MayHold { get; private set; }

    /// <summary>Notes if the loop holds writes until the next round. The caller has the turn.</summary>
    public void SetHeld(bool holds) => isHeld = holds;

    /// <summary>
    /// Adds an item, on any thread. The thread that has the turn takes the item; if the turn is free, the loop's own
    /// thread is woken.
    /// </summary>
    public void Post(object item)
    {
        if (TryAdd(item) && Volatile.Read(ref positions.Turn) == Free)
            parker.Unpark();
    }

    /// <summary>
    /// Adds an item and wakes no thread: the caller calls <see cref="Run"/> next, perhaps after more items.
    /// </summary>
    public void Add(object item) => TryAdd(item);

    /// <summary>
    /// Takes the turn and does the loop's work, on any thread that holds no lock. Returns at once if another thread has
    /// the turn: that thread takes what was added.
    /// </summary>
    /// <param name="batchesMax">Maximum number of batches; the loop's own thread does the rest.</param>
    public void Run(int batchesMax)
    {
        if (inRound == this)
            hasPostedInRound = true;
        else if (TryTakeTurn())
            run!(batchesMax);
    }

    /// <summary>
    /// Begins a round of this thread, which serves several connections one after the other. Until <see
    /// cref="EndRound"/>, <see cref="Run"/> only notes that the loop has work, so that one batch takes it all.
    /// </summary>
    public void BeginRound() => inRound = this;

    /// <summary>
    /// Ends the round. Runs the loop if this thread has posted in the round, or if held writes must leave now.
    /// </summary>
    /// <param name="mayHold">True if the caller can make another round. The loop may hold writes until then.</param>
    /// <returns>
    /// True if the loop holds writes. The caller then makes another round, without a wait, even if nothing is ready.
    /// </returns>
    public bool EndRound(bool mayHold)
    {
        inRound = null;
        if (hasPostedInRound || (isHeld && !mayHold))
        {
            hasPostedInRound = false;
            MayHold = mayHold;
            Run(SocketThreadBatchesMax);
            MayHold = false;
        }
        return isHeld && mayHold;
    }

    public void PostAndRun(object item, int batchesMax)
    {
        if (TryAdd(item))
            Run(batchesMax);
    }

    /// <summary>Frees the turn for the first time. Until this call, every item that was posted waits.</summary>
    /// <param name="runWithTurn">
    /// Does the loop's work, for at most the given number of batches, and gives the turn back.
    /// </param>
    public void Open(Action<int> runWithTurn)
    {
        Invariant.Hold(run is null);
        run = runWithTurn;
        GiveTurnBack(isDone: true);
    }

    public bool TryTakeTurn() =>
        Volatile.Read(ref positions.Turn) == Free
        && Interlocked.CompareExchange(ref positions.Turn, Taken, Free) == Free;

    /// <param name="isDone">
    /// False if there is more to do, for which the loop's own thread is woken. Items in the inbox wake that thread
    /// anyway.
    /// </param>
    public void GiveTurnBack(bool isDone)
    {
        Volatile.Write(ref positions.Undone, !isDone);
        // Full fence between giving the turn back and looking for items posted meanwhile. The producer's fence is in
        // TryAdd.
        Interlocked.Exchange(ref positions.Turn, Free);
        if (HasWork)
            parker.Unpark();
    }

    /// <summary>
    /// Takes the items that are there, in order, as far as <paramref name="destination"/> has room. The caller has the
    /// turn.
    /// </summary>
    /// <returns>Number of items taken.</returns>
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

    /// <summary>
    /// Waits until there is something to do, for at most <paramref name="millisecondsMax"/>. Only the loop's own thread
    /// calls this, without the turn.
    /// </summary>
    /// <returns>True if there is something to do.</returns>
    public bool Wait(int millisecondsMax) => parker.Await(hasWork, millisecondsMax);

    /// <summary>
    /// Waits while another thread has the turn. Returns when that thread has left something to do, or after
    /// <paramref name="millisecondsMax"/>. Only the loop's own thread calls this.
    /// </summary>
    public void WaitForTurn(int millisecondsMax)
    {
        parker.Announce();
        if (Volatile.Read(ref positions.Turn) == Free)
            parker.Withdraw();
        else
            parker.Park(millisecondsMax);
    }

    public int Capacity => slots.Length;

    /// <summary>Approximate number of items that wait. Any thread.</summary>
    public long Count => Math.Max(0, Volatile.Read(ref positions.Tail) - Volatile.Read(ref positions.Head));

    /// <summary>True while there is an item to take. The caller has the turn, or is about to take it.</summary>
    public bool HasItem =>
        Volatile.Read(ref slots[Volatile.Read(ref positions.Head) & mask].Sequence)
        == Volatile.Read(ref positions.Head) + 1;

    private bool HasWork => HasItem || Volatile.Read(ref positions.Undone);

    /// <returns>False if the item is a signal that waits in the inbox already.</returns>
    private bool TryAdd(object item)
    {
        if (item is InboxSignal signal && !signal.TryBeginWaiting())
            return false;
        ref Slot slot = ref Claim(out long position);
        slot.Item = item;
        // Publishes the item with a full fence: other threads see the item before this thread reads the turn and the
        // sleeper. Without both fences, each side could miss what the other wrote, and the item would stay in the inbox
        // with no thread to take it.
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

    /// <summary>
    /// Two cache lines for each side, because processors prefetch lines in pairs. So the sides don't slow each other
    /// down.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private struct Positions
    {
        /// <summary>Next position to fill; written by producers.</summary>
        [FieldOffset(128)]
        public long Tail;

        /// <summary>Next position to take; written by the consumer.</summary>
        [FieldOffset(256)]
        public long Head;

        [FieldOffset(384)]
        public int Turn;

        /// <summary>True if the last thread with the turn left work that is not an item.</summary>
        [FieldOffset(388)]
        public bool Undone;
    }
}

/// <summary>
/// An item without content of its own: posting the signal again while it waits in the inbox does nothing. One object is
/// posted any number of times, and takes at most one place in the inbox.
/// </summary>
internal abstract class InboxSignal
{
    private int waiting;

    /// <summary>True while the signal is posted and the loop has not taken it.</summary>
    public bool IsWaiting => Volatile.Read(ref waiting) != 0;

    /// <returns>False if the signal waits already.</returns>
    internal bool TryBeginWaiting() => Interlocked.Exchange(ref waiting, 1) == 0;

    /// <summary>Lets the signal be posted again. Called before the loop handles it, so no change is missed.</summary>
    internal virtual void EndWaiting() => Interlocked.Exchange(ref waiting, 0);
}
