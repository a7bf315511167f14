using System.Collections.Concurrent;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Sockets.Epoll;

/// <summary>
/// A thread that waits for sockets, serves each ready socket, and then runs the loop once for all of them. Sockets are
/// registered once, for both directions and edge-triggered.
/// </summary>
internal sealed unsafe class EpollThread : IDisposable
{
    private const int EventsMax = 256;

    /// <summary>
    /// Maximum rounds in a row after which the loop may hold writes. Without a bound, a stream of reads could delay the
    /// writes until the next tick. Twice as many rounds gained nothing.
    /// </summary>
    private const int HeldRoundsMax = 8;

    private const long WakeSlot = -1;
    private const long WatchedSlot = -2;

    private readonly int epoll = Check(EpollCalls.Create(EpollCalls.CloseOnExec));
    private readonly int wake = Check(EpollCalls.EventDescriptor(0, EpollCalls.CloseOnExec | EpollCalls.NonBlocking));
    private readonly byte* events = (byte*)NativeMemory.Alloc(EventsMax, (nuint)EpollEvents.Size);
    private readonly ConcurrentQueue<EpollConnection> closing = new();
    private readonly Lock entry = new();
    private readonly Stack<int> freeSlots = new();
    private readonly Inbox? inbox;
    private readonly Thread thread;

    /// <summary>Called when the watched descriptor is signalled, or null.</summary>
    private Action? onWatched;

    private EpollConnection?[] connections = new EpollConnection?[64];
    private int slots;
    private volatile bool isStopping;

    /// <summary>Rounds in a row after which the loop held writes.</summary>
    private int heldRounds;

    /// <param name="inbox">Loop that the thread runs once all sockets of a wait are served; else null.</param>
    public EpollThread(string name, Inbox? inbox)
    {
        this.inbox = inbox;
        Register(wake, EpollCalls.Input, WakeSlot);
        thread = new Thread(Run) { Name = name, IsBackground = true };
        thread.Start();
    }

    /// <summary>True on this thread.</summary>
    public bool IsCurrent => Thread.CurrentThread == thread;

    /// <summary>
    /// Watches a descriptor beside the sockets, edge-triggered, until the descriptor is closed. At most one descriptor.
    /// </summary>
    /// <param name="signalled">Called on this thread after each signal. May run the loop.</param>
    public void Watch(int descriptor, Action signalled)
    {
        Invariant.Hold(onWatched is null);
        Volatile.Write(ref onWatched, signalled);
        Register(descriptor, EpollCalls.Input | EpollCalls.EdgeTriggered, WatchedSlot);
    }

    /// <summary>Begins to serve a socket.</summary>
    /// <exception cref="SocketException">The system has no memory to watch another socket.</exception>
    public EpollConnection Open(Socket socket, BlockStack blocks)
    {
        EpollConnection connection = new(socket, this, blocks);
        lock (entry)
        {
            if (!freeSlots.TryPop(out int slot))
                slot = slots++;
            if (slot == connections.Length)
                Array.Resize(ref connections, 2 * slot);
            connection.Slot = slot;
            connections[slot] = connection;
        }
        const uint Events =
            EpollCalls.Input | EpollCalls.Output | EpollCalls.PeerClosed | EpollCalls.EdgeTriggered;
        if (TryRegister(connection.Descriptor, Events, connection.Slot))
            return connection;
        int error = EpollCalls.LastError;
        Release(connection);
        throw new SocketException((int)SocketError.NoBufferSpaceAvailable, new Win32Exception(error).Message);
    }

    /// <summary>Closes the socket of a connection that is no longer used. Any thread.</summary>
    public void Close(EpollConnection connection)
    {
        closing.Enqueue(connection);
        if (!IsCurrent)
            Wake();
    }

    /// <summary>Ends the thread. All connections are closed before.</summary>
    public void Dispose()
    {
        isStopping = true;
        Wake();
        thread.Join();
        _ = EpollCalls.Close(wake);
        _ = EpollCalls.Close(epoll);
        NativeMemory.Free(events);
    }

    private void Run()
    {
        try
        {
            while (!isStopping)
                RunRound();
            CloseAll();
        }
        catch (Exception bug)
        {
            FatalError.Exit(bug);
        }
    }

    /// <summary>
    /// Waits, serves the sockets that are ready, and runs the loop. If the loop holds writes, the next round does not
    /// wait, and ends the holding if nothing is ready.
    /// </summary>
    private void RunRound()
    {
        int count = EpollCalls.Wait(epoll, events, EventsMax, milliseconds: heldRounds > 0 ? 0 : -1);
        if (count < 0 && EpollCalls.LastError != EpollCalls.Interrupted)
            throw new Win32Exception(EpollCalls.LastError);
        inbox?.BeginRound();
        for (int i = 0; i < count; i++)
        {
            long slot = EpollEvents.Data(events, i);
            if (slot == WakeSlot)
                ReadWake();
            else if (slot == WatchedSlot)
                Volatile.Read(ref onWatched)!();
            else
                Volatile.Read(ref connections)[slot]?.OnEvents(EpollEvents.Flags(events, i));
        }
        bool mayHold = count > 0 && heldRounds < HeldRoundsMax;
        heldRounds = inbox is not null && inbox.EndRound(mayHold) ? heldRounds + 1 : 0;
        CloseAll();
    }

    /// <summary>
    /// Closes sockets after the events of a wait. So no event of that wait finds another socket in the same slot.
    /// </summary>
    private void CloseAll()
    {
        while (closing.TryDequeue(out EpollConnection? connection))
        {
            Release(connection);
            connection.Socket.Dispose();
        }
    }

    private void Release(EpollConnection connection)
    {
        lock (entry)
        {
            connections[connection.Slot] = null;
            freeSlots.Push(connection.Slot);
        }
    }

    private void Register(int descriptor, uint flags, long slot)
    {
        if (!TryRegister(descriptor, flags, slot))
            throw new Win32Exception(EpollCalls.LastError);
    }

    private bool TryRegister(int descriptor, uint flags, long slot)
    {
        byte* registered = stackalloc byte[EpollEvents.Size];
        EpollEvents.Write(registered, flags, slot);
        return EpollCalls.Control(epoll, EpollCalls.Add, descriptor, registered) == 0;
    }

    private void Wake()
    {
        long one = 1;
        _ = EpollCalls.Write(wake, (byte*)&one, sizeof(long));
    }

    private void ReadWake()
    {
        long count;
        _ = EpollCalls.Read(wake, (byte*)&count, sizeof(long));
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(EpollCalls.LastError);
}
