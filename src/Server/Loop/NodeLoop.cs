using RaftFast.Http;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>
/// What owns a member's state: drains the inbox in batches, ticks, and lets the node act once a batch. One thread at a time does so:
/// mostly the one that brought something, and a thread of its own for what others leave, and for the ticks when nobody comes.
/// </summary>
internal sealed class NodeLoop : IDisposable
{
    /// <summary>The core's tick. RaftOptions' defaults make it: heartbeats every 50 ms, elections after 400 to 800 ms.</summary>
    public const int TickMilliseconds = 10;

    /// <summary>When nobody waits for anything, so many ticks come at once: a wake-up costs more than they do. A heartbeat's interval.</summary>
    private const int QuietTicks = 5;

    /// <summary>Ticks made up for after a stall. A process that was stopped for longer has not been electing meanwhile.</summary>
    private const int TicksBehindMax = 10;

    private readonly RaftNode node;
    private readonly Inbox inbox;
    private readonly object?[] items = new object?[1024];
    private readonly Thread thread;

    private volatile bool isStopping;
    private long nextTick;
    private long nextWakeUp;

    public NodeLoop(RaftNode node, Inbox inbox)
    {
        this.node = node;
        this.inbox = inbox;
        thread = new Thread(Run) { Name = "raftfast-loop", IsBackground = true };
    }

    /// <summary>From here on it may run on any thread that posts.</summary>
    public void Start()
    {
        nextTick = Environment.TickCount64 + TickMilliseconds;
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
                inbox.Wait((int)Math.Max(0, Volatile.Read(ref nextWakeUp) - Environment.TickCount64));
            }
            else
            {
                inbox.WaitForTurn(millisecondsMax: 1);
            }
        }
        // Nobody else takes it any more.
        while (!inbox.TryTakeTurn())
            inbox.WaitForTurn(millisecondsMax: 1);
    }

    /// <summary>With the turn, which it gives back: at the latest after a tick's time, as who runs it may be who should read what peers send.</summary>
    private void RunBatches(int batchesMax)
    {
        bool isDone = false;
        long end = Environment.TickCount64 + TickMilliseconds;
        try
        {
            for (int i = 0; i < batchesMax && !isDone && !isStopping && (i == 0 || Environment.TickCount64 < end); i++)
                isDone = !RunBatch();
        }
        catch (Exception bug)
        {
            // A transport that called us would log it and go on.
            FatalError.Exit(bug);
        }
        inbox.GiveTurnBack(isDone);
    }

    /// <returns>Whether there is more to do.</returns>
    private bool RunBatch()
    {
        int count = inbox.Drain(items);
        long now = Environment.TickCount64;
        node.AdvanceTo(now);
        for (int i = 0; i < count; i++)
        {
            Dispatch(items[i]!);
            items[i] = null;
        }
        bool hasTicked = TickUntil(now);
        Volatile.Write(ref nextWakeUp, nextTick + (node.IsQuiet ? (QuietTicks - 1) * TickMilliseconds : 0));
        if (count == 0 && !hasTicked && !node.HasMoreToDo)
            return false;
        node.EndBatch();
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
            case PeerAnnounced introduced:
                node.OnPeerAnnounced(introduced.Peer, introduced.Address);
                break;
            case PeerRefused refused:
                node.OnPeerRefused(refused.Peer, refused.Status);
                break;
            case SnapshotTask task:
                node.OnSnapshotTaken(task);
                break;
            case ReceivedSnapshot received:
                node.OnSnapshotReceived(received);
                break;
            case SnapshotSent sent:
                node.OnSnapshotSent(sent.Peer, sent.Installed);
                break;
            case StopRequest:
                node.OnStopRequested();
                break;
            case PeerDrained:
                // EndBatch sends what had to wait.
                break;
            default:
                throw new InvalidOperationException($"{item.GetType().Name} has no place in the inbox");
        }
    }
}
