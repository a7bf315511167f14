using System.Numerics;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node.Requests;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>
/// One member, without threads and clocks: everything from outside comes in through the On… methods, in batches that
/// <see cref="EndBatch"/> ends. The server's loop drives it in real time, the simulator in simulated time.
/// </summary>
internal sealed class RaftNode
{
    /// <summary>
    /// Ticks between two searches for requests whose time is up. There are ten searches a second, so a search may look
    /// at every request.
    /// </summary>
    private const int TicksToExpire = 10;

    /// <summary>Ticks without a request or an entry after which the node is quiet: a second.</summary>
    private const int TicksToQuiet = 100;

    /// <summary>
    /// Maximum milliseconds that log time advances at once. After a longer gap the process was stopped, and perhaps no
    /// member led meanwhile.
    /// </summary>
    private const long PauseMax = 1000;

    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly IPeerNetwork network;
    private readonly StateMachine state;
    private readonly Acceptance acceptance;
    private readonly ReadyExecutor executor;
    private readonly StateBound bound;
    private readonly WriteRouter router;
    private readonly PendingWrites pending;
    private readonly AppliedTransactions transactions;
    private readonly ForwardedWrites forwarded;
    private readonly PendingReads reads;
    private readonly LogClock clock;
    private readonly CommandVersions versions;
    private readonly TimedCommands timed;
    private readonly CommandGate gate;
    private readonly MembershipRouter changes;
    private readonly HeardPeers heard = new();
    private readonly Answers answers = new();
    private readonly NodeActions actions;
    private readonly SnapshotCycle snapshots;
    private readonly NodeLogLines log;
    private readonly SilentMembers silent;
    private readonly StateComparison comparison;
    private readonly NodeMetrics metrics;
    private readonly long requestTimeout;

    private RecordHeader[] entries = new RecordHeader[1024];
    private long now;
    private long ticks;
    private long lastBusyTick;
    private ConfigurationState configured;
    private ConfigurationState committedConfiguration;
    private bool isRemoved;
    private bool isStopRequested;

    /// <summary>Term in which an append was dropped because the log had no room; 0 if none was.</summary>
    private long droppedInTerm;

    public RaftNode(NodeParts parts)
    {
        core = parts.Core;
        wal = parts.Wal;
        network = parts.Network;
        state = parts.State;
        acceptance = parts.Acceptance;
        actions = parts.Actions;
        requestTimeout = parts.RequestTimeout;
        // The leader would send an append for ever if a follower could never have room for it.
        Invariant.Hold(wal.MayHaveRoom(Math.Max(core.AppendBytesMax, wal.RecordBytesMax)));
        log = new NodeLogLines(core, parts.Logger);
        silent = new SilentMembers(core, network, parts.Logger);
        metrics = new NodeMetrics(core, actions.Microseconds);
        pending = new PendingWrites(answers);
        forwarded = new ForwardedWrites(answers, parts.FirstNumber);
        clock = new LogClock(core, parts.State);
        versions = new CommandVersions(core, parts.State);
        reads = new PendingReads(core, parts.State, answers, parts.FirstNumber, parts.RequestTimeout);
        transactions = new AppliedTransactions(parts.State, reads);
        executor = new ReadyExecutor(
            core, wal, parts.State, clock, network, pending, transactions, reads,
            new FollowerReads(core, wal, actions.ReadEntries), parts.Recovered);
        timed = new TimedCommands(core, wal, parts.State, executor, clock, parts.Idempotency.Window);
        snapshots = new SnapshotCycle(parts, executor);
        bound = new StateBound(parts.State, parts.StateMax);
        gate = new CommandGate(core, parts.State, versions, clock, parts.Idempotency.MemoryMax);
        router = new WriteRouter(core, wal, bound, gate, executor, network, heard, pending, forwarded, answers);
        changes = new MembershipRouter(core, wal, executor, network, heard, pending, answers, parts.FirstNumber);
        changes.Announced(core.Id, parts.Address);
        comparison = new StateComparison(core, parts.State, network, parts.ComparisonTicks, parts.Logger);
        configured = core.Configuration;
        committedConfiguration = core.Log.Configurations.Committed;
        network.Configure(configured.Cluster, committedConfiguration.Cluster);
    }

    public RaftCore Core => core;

    /// <summary>True if the log has room for any append: many entries, or one of the greatest size.</summary>
    private bool HasRoomForAppend => wal.HasRoom(Math.Max(core.AppendBytesMax, wal.RecordBytesMax));

    /// <summary>True while EndBatch should be called again even if nothing has come in.</summary>
    public bool HasMoreToDo => executor.HasMoreToApply || reads.HasMoreToAnswer;

    /// <summary>True if the last <see cref="EndBatch"/> held writes so that later ones share their append.</summary>
    public bool HoldsForMore => router.HoldsForMore;

    /// <summary>True while ticks may come late and several at once, because no request waits.</summary>
    public bool IsQuiet => ticks - lastBusyTick > TicksToQuiet && core.IsSettled && !reads.LacksRoom;

    /// <param name="now">Milliseconds; only differences mean anything. Never decreases.</param>
    public void AdvanceTo(long now)
    {
        Invariant.Hold(now >= this.now);
        // No leader is known at the first call.
        if (core.LeaderId != 0)
            clock.Advance(Math.Min(now - this.now, PauseMax));
        this.now = now;
        reads.AdvanceTo(now);
    }

    public void OnTick()
    {
        core.LacksRoom = wal.DiskIsFull && !HasRoomForAppend;
        core.Tick();
        executor.Persist();
        reads.Tick();
        log.OnTick();
        silent.OnTick();
        comparison.OnTick();
        if (++ticks % TicksToExpire != 0)
            return;
        Expire(now);
    }

    public void OnRequest(ClientRequest request)
    {
        lastBusyTick = ticks;
        if (isRemoved)
        {
            answers.NotDone(request, NotDoneReason.MemberRemoved);
            return;
        }
        switch (request.Method)
        {
            case ClientRequestMethod.Put or ClientRequestMethod.Delete or ClientRequestMethod.Transaction:
                transactions.Expect(request);
                router.Add(new WaitingWrite(request, now + requestTimeout));
                break;
            case ClientRequestMethod.Get:
                reads.Add(request);
                break;
            default:
                if (request.Method == ClientRequestMethod.RemoveMember)
                    log.RemovalAsked(request.MemberId, state.Store);
                changes.Add(request, now + requestTimeout);
                break;
        }
    }

    /// <param name="frames">
    /// Whole, verified frames, one after another. The records of a Forward get their positions in place.
    /// </param>
    public void OnFrames(ulong from, Span<byte> frames)
    {
        // The member sends again what it needs answered.
        if (!acceptance.IsBy(from))
            return;
        heard.Add(from);
        while (!frames.IsEmpty)
        {
            DecodeStatus status = Frame.TryReadHeader(frames, out Message message, out int recordsLength);
            Invariant.Hold(status == DecodeStatus.Complete);
            OnMessage(message with { From = from, To = core.Id }, frames.Slice(Frame.HeaderSize, recordsLength));
            frames = frames[(Frame.HeaderSize + recordsLength)..];
        }
    }

    /// <summary>
    /// A connection to this peer has been made, so the peer accepts this node's directory. Frames on the last
    /// connection may be lost.
    /// </summary>
    public void OnPeerConnected(ulong peer)
    {
        acceptance.Add(peer);
        core.MessagesMayBeLost(peer);
    }

    /// <summary>The connection to this peer has ended: messages on their way to it may be lost.</summary>
    public void OnPeerLost(ulong peer)
    {
        core.MessagesMayBeLost(peer);
        forwarded.PeerLost(peer);
        changes.PeerLost(peer);
    }

    /// <summary>
    /// A connection that this peer had dialled has ended: answers on their way may be lost, and the peer drops its
    /// answers until it has dialled again. Comes after all frames of that connection, and before those of the next one.
    /// </summary>
    public void OnAnswersLost(ulong peer)
    {
        comparison.OnAnswersLost(peer);
        heard.Remove(peer);
        OnPeerLost(peer);
    }

    /// <summary>
    /// A node of this cluster has dialled this member, and announced its own address. While the node had no connection
    /// to this member, it may have dropped answers.
    /// </summary>
    /// <param name="commandVersion">Version of commands that the node applies (<see
    /// cref="KeyCommand.Version"/>).</param>
    public void OnPeerAnnounced(ulong peer, PeerAddress address, int commandVersion)
    {
        core.MessagesMayBeLost(peer);
        versions.Announced(peer, commandVersion);
        comparison.OnPeerAnnounced(peer, commandVersion);
        network.Announced(peer, address);
        changes.Announced(peer, address);
    }

    /// <summary>Another member refuses this member permanently.</summary>
    /// <exception cref="StorageException">
    /// The other member has recorded another data directory of this member.
    /// </exception>
    public void OnPeerRefused(ulong peer, HandshakeStatus status)
    {
        if (status == HandshakeStatus.DirectoryReplaced)
        {
            throw new StorageException(
                $"member {peer} has met member {core.Id} with another data directory, and counts on what was promised "
                + $"from there. If only a volume was not mounted at one of two starts, start member {core.Id} on the "
                + "other directory. If that directory is lost, the member can't come back under this id: "
                + $"remove it (DELETE /{core.Id} at another member), then add the node under a new id, "
                + "with --join and an empty --data-dir");
        }
        if (status == HandshakeStatus.Removed)
            OnRemoved();
    }

    /// <summary>
    /// The process is to stop: a leader hands leadership over first. <see cref="NodeActions.HandedOver"/> follows, at
    /// once when this member doesn't lead or no other can.
    /// </summary>
    public void OnStopRequested()
    {
        reads.Stop();
        isStopRequested = core.HandOver();
        if (!isStopRequested)
            actions.HandedOver();
    }

    public SnapshotReport Snapshots() => snapshots.Report();

    /// <summary>Copies a page of the keys as they are applied here.</summary>
    public void CopyKeys(KeyPage page, KeyRange range) => page.Fill(state.Store, range);

    /// <inheritdoc cref="StateMachine.HashAt"/>
    public StateHash HashAt(long? index) => state.HashAt(index);

    /// <inheritdoc cref="SnapshotCycle.Want"/>
    public void WantSnapshot(long index) => snapshots.Want(index);

    /// <inheritdoc cref="RaftCore.HandOverTo"/>
    public HandOverStart HandOverTo(ulong to) => core.HandOverTo(to);

    public void OnSnapshotTaken(SnapshotTask task) => snapshots.OnTaken(task);

    public void OnSnapshotSent(ulong peer, long installed) => snapshots.OnSent(peer, installed);

    public void OnSnapshotReceived(ReceivedSnapshot received) => snapshots.OnReceived(received);

    /// <summary>Entries that a follower needs have been read, or the disk has failed.</summary>
    /// <exception cref="StorageException">The disk failed, or a record on it is damaged.</exception>
    public void OnEntriesRead(FollowerRead read) => executor.EntriesRead(read);

    public void OnBatchDurable(in WalBatch batch)
    {
        lastBusyTick = ticks;
        executor.BatchDurable(batch);
        executor.Persist();
    }

    /// <summary>Does everything that the inputs since the last call ask for.</summary>
    /// <param name="mayHold">
    /// True if the caller reads more requests now, and calls again even if there are none. The node may then hold new
    /// writes until that call, so that more writes share an append and a write to each log.
    /// </param>
    public void EndBatch(bool mayHold = false)
    {
        changes.Route(now);
        router.Route(mayHold);
        timed.Propose();
        reads.Ask();
        if (droppedInTerm != 0)
            AskAgain();
        core.EndBatch();
        metrics.BatchTaken();
        executor.Persist();
        // The writer starts before anything is sent: own disk and network work at the same time (thesis §10.2.1).
        if (executor.Publish())
            actions.WakeWriter();
        comparison.EndBatch();
        executor.Send(core.Configuration.Servers);
        network.Flush();
        executor.Apply();
        metrics.BatchApplied();
        snapshots.Advance();
        if (state.PublishChanges())
            actions.WakeWatches();
        FollowConfiguration();
        answers.Flush(actions.Resume);
        log.EndBatch(bound.IsReached);
        // This member stays until a successor leads: the successor may need its vote.
        if (isStopRequested && !core.IsHandingOver && core.LeaderId != 0)
        {
            isStopRequested = false;
            actions.HandedOver();
        }
    }

    /// <summary>
    /// True while a request of a client waits for this answer of another member. Asked by the simulator.
    /// </summary>
    public bool Awaits(in Message answer) => answer.Type == MessageType.ForwardResponse
        ? forwarded.Awaits(answer)
        : answer.Type == MessageType.ChangeMembersResponse && changes.Awaits(answer);

    /// <summary>Copies the member's state, for readers on other threads. Allocates.</summary>
    public NodeReport Report() => new()
    {
        Id = core.Id,
        Role = core.Role,
        Term = core.Term,
        LeaderId = core.LeaderId,
        TicksSinceLeader = core.TicksSinceLeader,
        Cluster = core.Configuration.Cluster,
        Followers = core.Followers(),
        FirstIndex = wal.FirstIndex,
        Last = core.Log.Last,
        Durable = core.Log.Durable,
        Committed = core.Log.Committed,
        Applied = core.Log.Applied,
        LacksRoom = core.LacksRoom,
        LogWriteIsOverdue = core.LogWriteIsOverdue,
        Keys = bound.Keys,
        StateBytes = bound.Bytes,
        StateBytesMax = bound.BytesMax,
        OutcomeBytes = state.Store.OutcomeBytes,
        OutcomeBytesMax = gate.OutcomeBytesMax,
        UncommittedBytes = core.UncommittedBytes,
        UncommittedBytesMax = core.UncommittedBytesMax,
        LogDiskBytes = wal.BytesOnDisk,
        LogMemoryBytes = wal.MemoryBytes,
        LogMemoryBytesMax = wal.MemoryBytesMax,
        LogReaderBytes = wal.ReaderBytes,
        LogReads = wal.ReadsBegun,
        Waiting = new WaitingRequests(
            router.WaitingCount, router.WaitingBytes, forwarded.Count, pending.Count, reads.Count, changes.Count)
        {
            WritesMax = WriteRouter.WaitingMax,
            ReadsForChange = reads.ForChange,
            WriteBytesMax = WriteRouter.WaitingBytesMax,
            ChangesMax = MembershipRouter.WaitingMax,
        },
        Snapshots = snapshots.Report(),
        Counts = new NodeCounts(
            metrics.Campaigns, metrics.TermsLed, metrics.LeaderChanges, metrics.EntriesApplied),
        Comparisons = comparison.Counts,
        Commit = metrics.Commit,
        Apply = metrics.Apply,
    };

    private void Expire(long now)
    {
        router.Expire(now);
        forwarded.Expire(now);
        pending.Expire(now);
        transactions.Expire();
        reads.Expire(now);
        changes.Expire(now);
    }

    /// <summary>
    /// Gives the network the configuration in effect (thesis §4.1), and tells the operator of committed changes. This
    /// member stops if a committed change has removed it.
    /// </summary>
    private void FollowConfiguration()
    {
        ConfigurationState committed = core.Log.Configurations.Committed;
        if (configured == core.Configuration && committedConfiguration == committed)
            return;
        network.Configure(core.Configuration.Cluster, committed.Cluster);
        changes.Configured(configured.Cluster, core.Configuration.Cluster);
        if (committedConfiguration != committed)
            log.MembersChanged(committedConfiguration.Cluster, committed.Cluster);
        configured = core.Configuration;
        committedConfiguration = committed;
        if (committed.Cluster.WasRemoved(core.Id))
            OnRemoved();
    }

    private void OnRemoved()
    {
        if (isRemoved)
            return;
        isRemoved = true;
        log.Removed();
        answers.MemberRemoved();
        changes.OnRemoved();
        Expire(long.MaxValue);
        answers.Flush(actions.Resume);
        actions.Stop();
    }

    private void OnMessage(in Message message, Span<byte> records)
    {
        if (message.Type is MessageType.Append or MessageType.AppendResponse or MessageType.ReadIndex)
            lastBusyTick = ticks;
        switch (message.Type)
        {
            case MessageType.Append:
                OnAppend(message, records);
                break;
            case MessageType.Forward:
                router.OnForward(message, records);
                break;
            case MessageType.StateHash:
                comparison.OnMessage(message);
                break;
            case MessageType.ForwardResponse:
                forwarded.OnResponse(message, pending, core.Log);
                break;
            case MessageType.ChangeMembers:
                changes.OnRequest(message, records);
                break;
            case MessageType.ChangeMembersResponse:
                changes.OnResponse(message, now);
                break;
            default:
                core.Step(message, default);
                executor.Persist();
                break;
        }
    }

    /// <summary>Asks again for entries that were dropped in this term, if the log has room for them now.</summary>
    private void AskAgain()
    {
        if (!HasRoomForAppend)
            return;
        if (droppedInTerm == core.Term)
            core.AskAgain();
        droppedInTerm = 0;
    }

    private void OnAppend(in Message message, ReadOnlySpan<byte> records)
    {
        if (message.Count > entries.Length)
            Array.Resize(ref entries, (int)BitOperations.RoundUpToPowerOf2((uint)message.Count));
        ClusterConfiguration?[]? configurations = null;
        ReadOnlySpan<byte> rest = records;
        for (int i = 0; i < message.Count; i++)
        {
            DecodeStatus status = Record.TryReadHeader(rest, out entries[i]);
            Invariant.Hold(status == DecodeStatus.Complete);
            if (entries[i].Type == RecordType.Configuration)
            {
                configurations ??= new ClusterConfiguration?[message.Count];
                configurations[i] = ConfigurationRecord.TryRead(Record.Payload(rest, entries[i]));
                Invariant.Hold(configurations[i] is not null);
            }
            rest = rest[entries[i].RecordLength..];
        }
        int count = message.Count;
        if (count > 0 && !wal.HasRoom(records.Length))
        {
            count = ReserveAppends.Count(entries.AsSpan(0, count), message.Term, out int bytes);
            // EndBatch asks for the dropped entries once the log has room for any append.
            bool takesNone = count == 0 || !wal.HasRoomInReserve(bytes);
            if (takesNone || count < message.Count)
                droppedInTerm = Math.Max(droppedInTerm, message.Term);
            if (takesNone)
                return;
            records = records[..bytes];
        }
        EntryRange accepted = core.Step(
            message with { Count = count },
            entries.AsSpan(0, count),
            configurations is null ? default : configurations.AsSpan(0, count));
        executor.PersistAccepted(accepted, records);
    }
}
