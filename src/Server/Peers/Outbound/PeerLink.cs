using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Outbound;

/// <summary>
/// The way to one peer: dials it until stopped, one connection at a time, and hands each to the loop thread through one volatile
/// field. The loop takes it up with its next frame; a connection that has ended drops what is written to it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A cancellation source without a timer and a wait handle holds nothing.")]
internal sealed class PeerLink
{
    private readonly Handshake handshake;
    private readonly Inbox inbox;
    private readonly ILogger logger;
    private readonly PeerOptions options;
    private readonly Random jitter;
    private readonly PeerConnected connected;
    private readonly PeerLost lost;
    private readonly PeerDrained drained;
    private readonly PeerRefused removed;
    private readonly PeerRefused replaced;

    /// <summary>Of one connection after the other: <see cref="OutboundConnection.RunAsync"/> has returned before the next gets it.</summary>
    private readonly Lazy<byte[]> ringMemory;

    /// <summary>Where the peer itself has said that it is; null until it has.</summary>
    private volatile PeerAddress? introduced;

    /// <summary>Where the last configuration that names the peer says it is; null for a stranger.</summary>
    private volatile PeerAddress? configured;

    /// <summary>Where the present connection or attempt leads; else the last one.</summary>
    private volatile PeerAddress? destination;

    /// <summary>Cancelled when what is under way at an address is to end.</summary>
    private volatile CancellationTokenSource attempt = new();

    /// <summary>Ends the pause between two attempts.</summary>
    private volatile TaskCompletionSource wake = new();

    private volatile bool isStopped;
    private volatile OutboundConnection? current;

    /// <summary>Loop thread: the connection of the frame being written.</summary>
    private OutboundConnection? writing;

    // What came of the attempts at the present address; the dialling task's.
    private TimeSpan backoff;
    private bool? wasReachable;
    private HandshakeStatus lastRefusal;
    private int attempts;

    /// <param name="handshake">To says whom to dial.</param>
    /// <param name="introduced">Null: <see cref="Configure"/> follows.</param>
    public PeerLink(PeerAddress? introduced, Handshake handshake, Inbox inbox, ILogger logger, PeerOptions options, int seed)
    {
        this.introduced = introduced;
        this.handshake = handshake;
        this.inbox = inbox;
        this.logger = logger;
        this.options = options;
        jitter = new Random(seed);
        connected = new PeerConnected(Peer);
        lost = new PeerLost(Peer);
        drained = new PeerDrained(Peer);
        removed = new PeerRefused(Peer, HandshakeStatus.Removed);
        replaced = new PeerRefused(Peer, HandshakeStatus.DirectoryReplaced);
        ringMemory = new Lazy<byte[]>(() => GC.AllocateUninitializedArray<byte>(options.SendBytesMax, pinned: true));
        BeginAnew();
    }

    public ulong Peer => handshake.To;

    /// <summary>Loop thread: no configuration names it.</summary>
    public bool IsStranger => configured is null;

    /// <summary>Any thread: where it is dialled.</summary>
    public PeerAddress Address => destination ?? introduced ?? configured!;

    public bool IsConnected => current is not null;

    public bool CanSend => current is { } connection && connection.Ring.CanSendBulk();

    public bool TryBegin(in Message message, int recordsLength)
    {
        writing = current;
        if (writing is null || writing.Ring.IsClosed)
            return false;
        if (writing.Ring.TryBegin(message, recordsLength))
            return true;
        writing.Ring.Close();
        writing.End("it does not read what it is sent");
        return false;
    }

    public void Write(ReadOnlySpan<byte> records) => writing!.Ring.Write(records);

    /// <summary>After its connection has ended there is none to flush: what was written to it is lost.</summary>
    public void Flush() => writing?.Ring.Flush();

    /// <summary>Loop thread. The peer says where it is: a connection to another address ends, and this one is dialled at once.</summary>
    public void Introduce(PeerAddress address)
    {
        introduced = address;
        if (destination != address)
            BeginNewAttempt();
        else
            // It has just dialled this server: a pause before the next attempt has nothing more to wait for.
            wake.TrySetResult();
    }

    /// <summary>
    /// Loop thread. A configuration says where the peer is. It may be an old one that comes with the log, so a connection that works
    /// stays; without one this address and the one that the peer named are tried in turn.
    /// </summary>
    public void Configure(PeerAddress address)
    {
        if (configured == address)
            return;
        configured = address;
        if (current is null)
            BeginNewAttempt();
    }

    /// <summary><see cref="RunAsync"/> ends soon after.</summary>
    public void Stop()
    {
        isStopped = true;
        Cancel(attempt);
    }

    /// <summary>Until <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        while (!isStopped)
        {
            // In this order: an address that comes later cancels this token.
            CancellationToken moved = attempt.Token;
            PeerAddress address = NextDestination();
            destination = address;
            DialResult result = await new PeerDialer(address, handshake, options).DialAsync(moved);
            if (result.Connection is { } stream)
            {
                PeerLogLines.Reachable(logger, Peer, address);
                wasReachable = true;
                long start = Environment.TickCount64;
                OutboundConnection connection = new(stream, new SendRing(ringMemory.Value, options.BulkBytesMax, inbox, drained));
                result = DialResult.Failed(await CarryAsync(connection, moved));
                if (Environment.TickCount64 - start > options.BackoffMax.TotalMilliseconds)
                    backoff = options.BackoffMin;
            }
            if (isStopped)
                return;
            if (moved.IsCancellationRequested)
                BeginAnew();
            else
                Report(result, address);
            await PauseAsync();
        }
    }

    private async Task<string> CarryAsync(OutboundConnection connection, CancellationToken stop)
    {
        current = connection;
        inbox.Post(connected);
        string reason = await connection.RunAsync(stop);
        current = null;
        inbox.Post(lost);
        return reason;
    }

    private void BeginNewAttempt()
    {
        CancellationTokenSource old = attempt;
        attempt = new CancellationTokenSource();
        Cancel(old);
    }

    private PeerAddress NextDestination()
    {
        PeerAddress? said = introduced;
        PeerAddress? written = configured;
        if (said is null || written is null || said == written)
            return said ?? written!;
        return attempts++ % 2 == 0 ? said : written;
    }

    private void BeginAnew()
    {
        attempts = 0;
        backoff = options.BackoffMin;
        wasReachable = null;
        lastRefusal = HandshakeStatus.Accepted;
    }

    private void Report(DialResult failure, PeerAddress address)
    {
        HandshakeStatus refusal = failure.Refusal;
        bool isNew = refusal != lastRefusal;
        lastRefusal = refusal;
        if (refusal == HandshakeStatus.Joining)
        {
            // In a moment it listens again, as a member.
            backoff = options.BackoffMin;
            return;
        }
        if (refusal is HandshakeStatus.Removed or HandshakeStatus.DirectoryReplaced)
        {
            backoff = options.BackoffMax;
            if (isNew)
                inbox.Post(refusal == HandshakeStatus.Removed ? removed : replaced);
        }
        if (refusal != HandshakeStatus.Accepted && isNew)
            PeerLogLines.RefusedBy(logger, Peer, address, refusal);
        else if (refusal == HandshakeStatus.Accepted && wasReachable != false)
            PeerLogLines.Unreachable(logger, Peer, address, failure.Reason);
        wasReachable = false;
    }

    /// <summary>
    /// Also until the loop has taken note of the last loss: so that it sees each connection begin and end in order, and no more
    /// than one of each event is outstanding.
    /// </summary>
    private async Task PauseAsync()
    {
        do
        {
            CancellationToken moved = attempt.Token;
            wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await Task.WhenAny(Task.Delay(backoff * (1 - jitter.NextDouble() / 2), moved), wake.Task);
            backoff = backoff * 2 < options.BackoffMax ? backoff * 2 : options.BackoffMax;
            if (moved.IsCancellationRequested)
                BeginAnew();
        }
        while (lost.IsWaiting && !isStopped);
    }

    /// <summary>What it sets off (closing a socket, dialling another) is not the loop's to do. Nothing of it throws.</summary>
    private static void Cancel(CancellationTokenSource source) => _ = source.CancelAsync();
}
