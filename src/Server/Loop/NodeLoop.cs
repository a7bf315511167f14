using System.Diagnostics;
using RaftFast.Http;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>
/// Owner of the node's state: drains the inbox in batches, ticks, and lets the node act once for each batch. One thread
/// at a time runs the loop, mostly the thread that posted an item. A thread of the loop's own ticks while no thread
/// posts, and does the work that other threads leave.
/// </summary>
internal sealed class NodeLoop : IDisposable
{
    /// <summary>
    /// Interval of the core's ticks. The defaults of RaftOptions then give heartbeats every 50 ms, and elections after
    /// 400 to 800 ms.
    /// </summary>
    public const int TickMilliseconds = 10;

    /// <summary>
    /// Ticks of one wake-up while no request or entry waits, because a wake-up costs more than a tick. Equal to the
    /// interval of heartbeats.
    /// </summary>
    private const int QuietTicks = 5;

    /// <summary>
    /// Maximum missed ticks that are made up after a stall: a process that was stopped for longer took no part in
    /// elections.
    /// </summary>
    private const int TicksBehindMax = 10;

    private readonly RaftNode node;
    private readonly Inbox inbox;
    private readonly object?[] items = new object?[1024];
    private readonly Thread thread;

    private volatile bool isStopping;
    private long nextTick;
    private long nextWakeUp;
    private long turnedAt;

    public NodeLoop(RaftNode node, Inbox inbox)
    {
        this.node = node;
        this.inbox = inbox;
        thread = new Thread(Run) { Name = ThreadNames.Loop, IsBackground = true };
    }

    /// <summary>Items that the loop took at once.</summary>
    public Histogram BatchItems { get; } = Histogram.OfItems();

    /// <summary>Time since the loop last turned. Any thread.</summary>
    public TimeSpan SinceTurn =>
        TimeSpan.FromMilliseconds(Milliseconds - Volatile.Read(ref turnedAt));

    /// <summary>
    /// The monotonic clock. <see cref="Environment.TickCount64"/> is up to ten milliseconds late, and a time to live
    /// could end as much too early.
    /// </summary>
    private static long Milliseconds => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    /// <summary>Starts the loop. From now on the loop may run on any thread that posts.</summary>
    public void Start()
    {
        turnedAt = Milliseconds;
        nextTick = turnedAt + TickMilliseconds;
        inbox.Open(RunBatches);
        thread.Start();
    }

    public void Dispose()
    {
        isStopping = true;
        thread.Join();
    }

    private void Run()
    {
        while (!isStopping)
        {
            if (inbox.TryTakeTurn())
            {
                RunBatches(int.MaxValue);
                inbox.Wait((int)Math.Max(0, Volatile.Read(ref nextWakeUp) - Milliseconds));
            }
            else
            {
                // The thread with the turn ticks, and wakes this one if it leaves something to do.
                inbox.WaitForTurn((int)Math.Max(1, Volatile.Read(ref nextWakeUp) - Milliseconds));
            }
        }
        // Keeps the turn, so that no other thread runs the loop again.
        while (!inbox.TryTakeTurn())
            inbox.WaitForTurn(millisecondsMax: 1);
    }

    /// <summary>
    /// Runs batches with the turn, and gives the turn back after the time of a tick at the latest. Until then this
    /// thread may not read from its peers.
    /// </summary>
    private void RunBatches(int batchesMax)
    {
        bool isDone = false;
        long end = Milliseconds + TickMilliseconds;
        try
        {
            for (int i = 0; i < batchesMax && !isDone && !isStopping && (i == 0 || Milliseconds < end); i++)
                isDone = !RunBatch();
        }
        catch (Exception bug)
        {
            // The transport that called this would log the exception and continue.
            FatalError.Exit(bug);
        }
        inbox.GiveTurnBack(isDone);
    }

    /// <returns>True if there is more to do.</returns>
    private bool RunBatch()
    {
        int count = inbox.Drain(items);
        long now = Milliseconds;
        Volatile.Write(ref turnedAt, now);
        node.AdvanceTo(now);
        if (count > 0)
            BatchItems.Record(count);
        for (int i = 0; i < count; i++)
        {
            Dispatch(items[i]!);
            items[i] = null;
        }
        bool hasTicked = TickUntil(now);
        Volatile.Write(ref nextWakeUp, nextTick + (node.IsQuiet ? (QuietTicks - 1) * TickMilliseconds : 0));
        // No write is held for longer than a tick.
        bool mayHold = Inbox.MayHold && !hasTicked;
        if (count == 0 && !hasTicked && !node.HasMoreToDo && (mayHold || !node.HoldsForMore))
            return false;
        node.EndBatch(mayHold);
        inbox.SetHeld(node.HoldsForMore);
        return node.HasMoreToDo || inbox.HasItem;
    }

    private bool TickUntil(long now)
    {
        if (now < nextTick)
            return false;
        nextTick = Math.Max(nextTick, now - TicksBehindMax * TickMilliseconds);
        for (; nextTick <= now; nextTick += TickMilliseconds)
            node.OnTick();
        return true;
    }

    private void Dispatch(object item)
    {
        switch (item)
        {
            case ClientRequest request:
                node.OnRequest(request);
                break;
            case PeerBatch batch:
                node.OnFrames(batch.From, batch.Frames);
                batch.Release();
                break;
            case WalWriter writer:
                while (writer.TryTakeDurable(out WalBatch durable))
                    node.OnBatchDurable(durable);
                break;
            case PeerConnected connected:
                node.OnPeerConnected(connected.Peer);
                break;
            case PeerLost lost:
                node.OnPeerLost(lost.Peer);
                break;
            case PeerAnswersLost lost:
                node.OnAnswersLost(lost.Peer);
                break;
            case PeerAnnounced announced:
                node.OnPeerAnnounced(announced.Peer, announced.Address, announced.CommandVersion);
                break;
            case PeerRefused refused:
                node.OnPeerRefused(refused.Peer, refused.Status);
                break;
            case SnapshotTask task:
                node.OnSnapshotTaken(task);
                break;
            case FollowerRead read:
                node.OnEntriesRead(read);
                break;
            case ReceivedSnapshot received:
                node.OnSnapshotReceived(received);
                break;
            case SnapshotSent sent:
                node.OnSnapshotSent(sent.Peer, sent.Installed);
                break;
            case LoopQuestion question:
                question.Answer(node);
                break;
            case StopRequest:
                node.OnStopRequested();
                break;
            case PeerDrained:
            case SegmentPrepared:
                // EndBatch continues what had to wait.
                break;
            default:
                throw new InvalidOperationException($"{item.GetType().Name} has no place in the inbox");
        }
    }
}
