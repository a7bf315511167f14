using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;

namespace RaftFast.Simulation.Servers;

/// <summary>
/// Drives a node as NodeLoop does: inputs gather in an inbox, and each run of the loop takes all inputs that are there.
/// </summary>
internal sealed class SimulatedLoop(ServerProcess process)
{
    private readonly Queue<Input> inbox = new();
    private readonly NewConnections newConnections = new(process);
    private readonly SeededRandom holding = process.Random.Fork($"held writes {process.Server.Incarnation}");
    private bool isRunScheduled;

    public bool IsPaused { get; private set; }

    public void Add(in Input input)
    {
        inbox.Enqueue(input);
        Wake();
    }

    public void Wake()
    {
        if (isRunScheduled || IsPaused || process.Node is null)
            return;
        isRunScheduled = true;
        process.Schedule(process.Random.Between(1, 30), EventKind.Run);
    }

    public void Pause(long duration)
    {
        IsPaused = true;
        process.Schedule(duration, EventKind.Resume);
    }

    public void Resume()
    {
        IsPaused = false;
        Wake();
    }

    public void OnTick()
    {
        process.Schedule(process.Server.TickPeriod, EventKind.Tick);
        // A paused process loses its ticks. The real loop makes up for a few of them (NodeLoop.TicksBehindMax).
        if (!IsPaused)
            Add(new Input(InputKind.Tick));
    }

    /// <summary>Runs the loop once: takes the inbox and acts.</summary>
    public void Run()
    {
        isRunScheduled = false;
        if (IsPaused)
            return;
        Cluster cluster = process.Cluster;
        RaftNode node = process.Node!;
        node.AdvanceTo(process.Clock);
        long operations = process.Server.Disk.Operations;
        bool leads = node.Core.IsLeader;
        for (int count = inbox.Count; count > 0; count--)
            Take(inbox.Dequeue(), node);
        // The real loop may hold writes while its thread reads more requests (Inbox.EndRound).
        node.EndBatch(mayHold: cluster.Scenario.HoldsWrites && holding.OneIn(2));
        if (node.HoldsForMore)
            cluster.Counters[Counter.WritesHeldForMore]++;
        // The loop must not write, sync or delete: everything else would wait for the disk.
        Invariant.Hold(process.Server.Disk.Operations == operations);
        if (leads && !node.Core.IsLeader && node.Core.LogReadIsOverdue)
            cluster.Counters[Counter.LeadersWithHungReadDeposed]++;
        if (node.Core.Ready.Messages.Count > 0)
            cluster.Counters[Counter.MessagesHeldForHardState]++;
        LostAnswers.OnStepped(node);
        process.Snapshots.CheckDecision();
        newConnections.Judge();
        cluster.OnStepped(process.Server);
        if (process.Server.IsTakenAway)
        {
            cluster.Counters[Counter.SpoiltStatesOverwritten]++;
            process.Server.TakeAway();
        }
        else if (process.MustExit || process.HasStopped)
            process.Server.OnExit(process.MustExit);
        else if (node.HasMoreToDo || node.HoldsForMore || inbox.Count > 0)
            Wake();
    }

    /// <summary>Discards the inbox of a dead process.</summary>
    public void Discard()
    {
        while (inbox.TryDequeue(out Input input))
        {
            if (input.Kind == InputKind.Frame)
                SimulatedNetwork.Return(input.Frame);
        }
    }

    private void Take(in Input input, RaftNode node)
    {
        switch (input.Kind)
        {
            case InputKind.Tick:
                node.OnTick();
                break;
            case InputKind.Frame:
                node.OnFrames((ulong)input.Frame.From + 1, input.Frame.Span);
                process.Cluster.LostAnswers.OnTaken(input.Frame, node);
                SimulatedNetwork.Return(input.Frame);
                break;
            case InputKind.BatchDurable:
                if (!node.Core.Log.Matches(input.Batch.Last))
                    process.Cluster.Counters[Counter.CompletionsOfOverwrittenEntries]++;
                node.OnBatchDurable(input.Batch);
                break;
            case InputKind.Request:
                node.OnRequest(input.Request!);
                break;
            case InputKind.Connected:
                node.OnPeerConnected(input.Peer);
                break;
            case InputKind.Lost:
                node.OnPeerLost(input.Peer);
                break;
            case InputKind.AnswersLost:
                node.OnAnswersLost(input.Peer);
                break;
            case InputKind.Announced:
                newConnections.Announced(input.Peer);
                node.OnPeerAnnounced(input.Peer, input.Address!, KeyCommand.Version);
                break;
            case InputKind.Refused:
                node.OnPeerRefused(input.Peer, input.Status);
                break;
            case InputKind.EntriesRead:
                process.Reads.Count(input.Read!);
                node.OnEntriesRead(input.Read!);
                break;
            case InputKind.SnapshotTaken:
                node.OnSnapshotTaken(input.Task!);
                break;
            case InputKind.SnapshotReceived:
                node.OnSnapshotReceived(input.Received!);
                break;
            case InputKind.SnapshotSent:
                node.OnSnapshotSent(input.Peer, input.Installed);
                break;
        }
    }
}
