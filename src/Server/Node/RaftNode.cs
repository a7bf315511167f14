using System.Numerics;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Loop;
using RaftFast.Server.Node.Requests;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Node;

/// <summary>
/// One member, without threads or clocks: everything from outside comes in through the On… methods, in batches that
/// <see cref="EndBatch"/> ends. <see cref="NodeLoop"/> drives it for real, the simulator under simulated time.
/// </summary>
internal sealed partial class RaftNode
{
    /// <summary>Ticks between looks for requests whose time is up: ten a second, so that each look may look at all.</summary>
    private const int TicksToExpire = 10;

    /// <summary>A second without a request or an entry.</summary>
    private const int TicksToQuiet = 100;

    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly IPeerNetwork network;
    private readonly ReadyExecutor executor;
    private readonly WriteRouter router;
    private readonly PendingWrites pending;
    private readonly ForwardedWrites forwarded;
    private readonly PendingReads reads;
    private readonly MembershipRouter changes;
    private readonly Answers answers = new();
    private readonly NodeActions actions;
    private readonly SnapshotCycle snapshots;
    private readonly long requestTimeout;
    private readonly ILogger logger;

    private RecordHeader[] entries = new RecordHeader[1024];
    private long now;
    private long ticks;
    private long lastBusyTick;
    private RoleName loggedRole;
    private ulong loggedLeader;
    private ConfigurationState configured;
    private ConfigurationState committedConfiguration;
    private bool isRemoved;
    private StopRequest? stopRequest;

    /// <param name="address">Where this member's peer protocol listens.</param>
    /// <param name="firstNumber">
    /// Where the numbers begin by which this process knows answers to what it asked. Answers to what an earlier process of this
    /// member asked may still come: their numbers must not be used again, so a random one serves.
    /// </param>
    /// <param name="requestTimeout">Milliseconds until a request is answered 503 or 504.</param>
    public RaftNode(
        RaftCore core, Wal wal, StateMachine state, SnapshotStore files, HardState recovered, IPeerNetwork network, PeerAddress address, SnapshotOptions options,
        NodeActions actions, long firstNumber, long requestTimeout, Random random, ILogger logger)
    {
        // An append that a follower never has room for would be sent for ever.
        Invariant.Hold(wal.MayHaveRoom(Math.Max(core.AppendBytesMax, wal.RecordBytesMax)));
        this.core = core;
        this.wal = wal;
        this.network = network;
        this.actions = actions;
        this.requestTimeout = requestTimeout;
        this.logger = logger;
        pending = new PendingWrites(answers);
        forwarded = new ForwardedWrites(answers, firstNumber);
        reads = new PendingReads(core, state, answers, firstNumber);
        executor = new ReadyExecutor(core, wal, state, network, pending, reads, recovered);
        snapshots = new SnapshotCycle(core, wal, files, state, executor, network, options, actions, random, logger);
        router = new WriteRouter(core, wal, executor, network, pending, forwarded, answers);
        changes = new MembershipRouter(core, wal, executor, network, pending, answers, firstNumber);
        changes.Announced(core.Id, address);
        configured = core.Configuration;
        committedConfiguration = core.Log.Configurations.Committed;
        network.Configure(configured.Cluster, committedConfiguration.Cluster);
    }

    public RaftCore Core => core;

    /// <summary>Whether EndBatch should be called again though nothing has come in.</summary>
    public bool HasMoreToDo => executor.HasMoreToApply;

    /// <summary>Whether ticks may come late and several at once, as nobody waits for anything.</summary>
    public bool IsQuiet => ticks - lastBusyTick > TicksToQuiet && core.IsSettled;

    /// <param name="now">Milliseconds; only differences mean anything. Never goes back.</param>
    public void AdvanceTo(long now)
    {
        Invariant.Hold(now >= this.now);
        this.now = now;
    }

    public void OnTick()
    {
        core.Tick();
        executor.Persist();
        reads.Tick();
        if (++ticks % TicksToExpire != 0)
            return;
        Expire(now);
    }

    public void OnRequest(ClientRequest request)
    {
        lastBusyTick = ticks;
        if (isRemoved)
        {
            answers.NotDone(request);
            return;
        }
        switch (request.Method)
        {
            case ClientRequestMethod.Put:
                router.Add(new WaitingWrite(request, now + requestTimeout));
                break;
            case ClientRequestMethod.Get:
                reads.Add(request, now + requestTimeout);
                break;
            default:
                changes.Add(request, now + requestTimeout);
                break;
        }
    }

    /// <param name="frames">Whole, verified frames, back to back. The records of a Forward get their positions in place.</param>
    public void OnFrames(ulong from, Span<byte> frames)
    {
        while (!frames.IsEmpty)
        {
            DecodeStatus status = Frame.TryReadHeader(frames, out Message message, out int recordsLength);
            Invariant.Hold(status == DecodeStatus.Complete);
            OnMessage(message with { From = from, To = core.Id }, frames.Slice(Frame.HeaderSize, recordsLength));
            frames = frames[(Frame.HeaderSize + recordsLength)..];
        }
    }

    /// <summary>A connection to this member has been made: what the last one carried may be lost.</summary>
    public void OnPeerConnected(ulong peer) => core.MessagesMayBeLost(peer);

    public void OnPeerLost(ulong peer)
    {
        core.MessagesMayBeLost(peer);
        forwarded.PeerLost(peer);
        changes.PeerLost(peer);
    }

    /// <summary>A server of this cluster has dialled this one, and says where it is to be dialled in turn.</summary>
    public void OnPeerAnnounced(ulong peer, PeerAddress address)
    {
        network.Announced(peer, address);
        changes.Announced(peer, address);
    }

    /// <summary>Another member refuses this one for good.</summary>
    /// <exception cref="StorageException">This member's directory is not the one that the other has met it with.</exception>
    public void OnPeerRefused(ulong peer, HandshakeStatus status)
    {
        if (status == HandshakeStatus.DirectoryReplaced)
        {
            throw new StorageException(
                $"member {peer} has met member {core.Id} with another data directory: what it promised from there is lost, so it can't come back under this id. "
                + $"Remove it (DELETE /{core.Id} at another member), then add the node under a new id, with --join and an empty --data-dir");
        }
        if (status == HandshakeStatus.Removed)
            OnRemoved();
    }

    /// <summary>This process is to stop: leadership goes to another first, if there is one.</summary>
    public void OnStopRequested(StopRequest request)
    {
        if (core.HandOver())
            stopRequest = request;
        else
            request.Complete();
    }

    public void OnSnapshotTaken(SnapshotTask task) => snapshots.OnTaken(task);

    public void OnSnapshotSent(ulong peer, long installed) => snapshots.OnSent(peer, installed);

    public void OnSnapshotReceived(ReceivedSnapshot received) => snapshots.OnReceived(received);

    public void OnBatchDurable(in WalBatch batch)
    {
        lastBusyTick = ticks;
        executor.BatchDurable(batch);
        executor.Persist();
    }

    /// <summary>Does all that the inputs since the last call ask for.</summary>
    public void EndBatch()
    {
        changes.Route(now);
        router.Route();
        reads.Ask();
        core.EndBatch();
        executor.Persist();
        // Before anything is sent: own disk and network work at the same time (thesis §10.2.1).
        if (executor.Publish())
            actions.WakeWriter();
        executor.Send(core.Configuration.Servers);
        network.Flush();
        executor.Apply();
        snapshots.Advance();
        FollowConfiguration();
        answers.Flush();
        LogChanges();
        // Its successor may need its vote.
        if (!core.IsHandingOver && core.LeaderId != 0)
            stopRequest?.Complete();
    }

    private void Expire(long now)
    {
        router.Expire(now);
        forwarded.Expire(now);
        pending.Expire(now);
        reads.Expire(now);
        changes.Expire(now);
    }

    /// <summary>The network serves the configuration in effect (thesis §4.1); who is removed for good is told so.</summary>
    private void FollowConfiguration()
    {
        ConfigurationState committed = core.Log.Configurations.Committed;
        if (configured == core.Configuration && committedConfiguration == committed)
            return;
        network.Configure(core.Configuration.Cluster, committed.Cluster);
        changes.Configured(configured.Cluster, core.Configuration.Cluster);
        if (committedConfiguration != committed)
            MembershipLogLines.Changed(logger, committedConfiguration.Cluster, committed.Cluster);
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
        LogRemoved(logger, core.Id);
        changes.OnRemoved();
        Expire(long.MaxValue);
        answers.Flush();
        actions.Stop();
    }

    private void LogChanges()
    {
        if (core.Role != loggedRole)
        {
            if (core.IsLeader)
                LogBecameLeader(logger, core.Term);
            else if (loggedRole == RoleName.Leader)
                LogSteppedDown(logger, core.Term);
            else if (core.Role == RoleName.Candidate)
                LogCampaigns(logger, core.Term);
        }
        if (core.LeaderId != loggedLeader && core.LeaderId != 0 && !core.IsLeader)
            LogFollows(logger, core.LeaderId, core.Term);
        loggedRole = core.Role;
        loggedLeader = core.LeaderId;
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

    private void OnAppend(in Message message, ReadOnlySpan<byte> records)
    {
        // Without room for them the entries are not taken: the leader sends them again once there is.
        if (!wal.HasRoom(records.Length))
            return;
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
        EntryRange accepted = core.Step(message, entries.AsSpan(0, message.Count), configurations);
        executor.PersistAccepted(accepted, records);
    }

    [LoggerMessage(LogLevel.Information, "member {Id} has been removed from the cluster: it stops, and its id is never used again")]
    private static partial void LogRemoved(ILogger logger, ulong id);

    [LoggerMessage(LogLevel.Information, "became leader in term {Term}")]
    private static partial void LogBecameLeader(ILogger logger, long term);

    [LoggerMessage(LogLevel.Information, "leads no more; term {Term}")]
    private static partial void LogSteppedDown(ILogger logger, long term);

    [LoggerMessage(LogLevel.Information, "campaigns in term {Term}")]
    private static partial void LogCampaigns(ILogger logger, long term);

    [LoggerMessage(LogLevel.Information, "follows member {Leader} in term {Term}")]
    private static partial void LogFollows(ILogger logger, ulong leader, long term);
}
