using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Outbound;

/// <summary>
/// Link to one peer: dials the peer until stopped, one connection at a time, and hands each connection to the loop
/// through one volatile field. The loop uses a new connection from its next frame on. A connection that has ended drops
/// written bytes.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A cancellation source without a timer and a wait handle holds nothing.")]
internal sealed class PeerLink
{
    private readonly Handshake handshake;
    private readonly Inbox inbox;
    private readonly ILogger logger;
    private readonly LimitedLogger strangerLogger;
    private readonly PeerOptions options;
    private readonly Random jitter;
    private readonly PeerConnected connected;
    private readonly PeerLost lost;
    private readonly PeerDrained drained;
    private readonly PeerRefused removed;
    private readonly PeerRefused replaced;

    /// <summary>
    /// Memory of the ring, used by one connection after the other: <see cref="OutboundConnection.RunAsync"/> returns
    /// before the next connection gets it.
    /// </summary>
    private readonly Lazy<byte[]> ringMemory;

    /// <summary>Address that the peer has announced; null before that.</summary>
    private volatile PeerAddress? announced;

    /// <summary>Address in the last configuration that names the peer; null for a stranger.</summary>
    private volatile PeerAddress? configured;

    /// <summary>Address of the current connection or attempt, else of the last one.</summary>
    private volatile PeerAddress? destination;

    /// <summary>Cancelled to end the current connection or attempt.</summary>
    private volatile CancellationTokenSource attempt = new();

    /// <summary>Completed to end the pause between two attempts.</summary>
    private volatile TaskCompletionSource wake = new();

    private volatile bool isStopped;
    private volatile OutboundConnection? current;

    /// <summary>Connection of the frame that the loop writes. Used by the loop alone.</summary>
    private OutboundConnection? writing;

    // Outcome of the attempts at the current addresses. Used by the dialling task alone.
    private TimeSpan backoff;
    private bool? wasReachable;
    private HandshakeStatus lastRefusal;
    private int attempts;

    /// <param name="announced">
    /// Address that the peer announced. If null, the caller calls <see cref="Configure"/>.
    /// </param>
    /// <param name="handshake">The handshake to send; its To is the peer.</param>
    /// <param name="seed">Seed of the jitter between attempts.</param>
    public PeerLink(
        PeerAddress? announced, Handshake handshake, Inbox inbox, ILogger logger, PeerOptions options, int seed)
    {
        this.announced = announced;
        this.handshake = handshake;
        this.inbox = inbox;
        this.logger = logger;
        strangerLogger = new LimitedLogger(logger, TimeProvider.System);
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

    /// <summary>True while no configuration names the peer. Read by the loop.</summary>
    public bool IsStranger => configured is null;

    /// <summary>Address at which the peer is dialled. Read on any thread.</summary>
    public PeerAddress Address
    {
        get
        {
            PeerAddress? fromLog = configured;
            return destination ?? announced ?? fromLog!;
        }
    }

    /// <summary>A stranger may announce one address after the other, and each one causes a line.</summary>
    private ILogger Logger => IsStranger ? strangerLogger : logger;

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
        writing.End("the peer does not read the bytes sent to it");
        return false;
    }

    public void Write(ReadOnlySpan<byte> records) => writing!.Ring.Write(records);

    /// <summary>
    /// Lets the connection send the written frames. Frames written to a connection that has ended are lost.
    /// </summary>
    public void Flush() => writing?.Ring.Flush();

    /// <summary>
    /// Notes the address that the peer announced. A connection to another address ends, and this address is dialled at
    /// once. Called by the loop.
    /// </summary>
    public void Announce(PeerAddress address)
    {
        announced = address;
        if (destination != address)
            BeginNewAttempt();
        else
            // The peer has just dialled this node, so it runs: end the pause before the next attempt.
            wake.TrySetResult();
    }

    /// <summary>
    /// Notes the peer's address in a configuration. The configuration may be an old one from the log, so a connection
    /// that works stays. Without a connection, this address and the announced one are dialled in turn. Called by the
    /// loop.
    /// </summary>
    public void Configure(PeerAddress address)
    {
        if (configured == address)
            return;
        configured = address;
        if (current is null)
            BeginNewAttempt();
    }

    /// <summary>
    /// The configuration that named the peer was truncated from the log: the peer is a stranger again, at the same
    /// address. Its connection stays. Called by the loop.
    /// </summary>
    public void Forget()
    {
        announced ??= configured;
        configured = null;
    }

    /// <summary>Stops dialling and ends the connection. <see cref="RunAsync"/> ends soon after.</summary>
    public void Stop()
    {
        isStopped = true;
        Cancel(attempt);
    }

    /// <summary>Dials and carries connections until <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        while (!isStopped)
        {
            // The token before the address: an address that arrives later cancels this token.
            CancellationToken moved = attempt.Token;
            PeerAddress address = NextDestination();
            destination = address;
            DialResult result = await new PeerDialer(address, handshake, options).DialAsync(moved);
            if (result.Connection is { } stream)
            {
                PeerLogLines.Reachable(Logger, Peer, address);
                wasReachable = true;
                long start = Environment.TickCount64;
                SendRing ring = new(ringMemory.Value, options.BulkBytesMax, inbox, drained);
                OutboundConnection connection = new(stream, ring);
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
        // In this order: Forget sets the one before it clears the other.
        PeerAddress? fromLog = configured;
        PeerAddress? fromPeer = announced;
        if (fromPeer is null || fromLog is null || fromPeer == fromLog)
            return fromPeer ?? fromLog!;
        return attempts++ % 2 == 0 ? fromPeer : fromLog;
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
            // The peer listens again in a moment, as a member.
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
            PeerLogLines.RefusedBy(Logger, Peer, address, refusal);
        else if (refusal == HandshakeStatus.Accepted && wasReachable != false)
            PeerLogLines.Unreachable(Logger, Peer, address, failure.Reason);
        wasReachable = false;
    }

    /// <summary>
    /// Pauses before the next attempt, and until the loop has taken the last <see cref="PeerLost"/>. So the loop sees
    /// each connection begin and end in order, and at most one event of each kind is outstanding.
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

    /// <summary>
    /// Cancels on another thread, so that the loop neither closes a socket nor dials. No registered callback throws.
    /// </summary>
    private static void Cancel(CancellationTokenSource source) => _ = source.CancelAsync();
}
