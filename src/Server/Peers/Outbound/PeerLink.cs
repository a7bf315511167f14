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
internal sealed class PeerLink : DialledPeer
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

    /// <param name="handshake">The handshake to send; its To is the peer.</param>
    /// <param name="seed">Seed of the jitter between attempts.</param>
    public PeerLink(Handshake handshake, Inbox inbox, ILogger logger, PeerOptions options, int seed)
        : base(handshake.To)
    {
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

    /// <summary>A stranger may announce one address after the other, and each one causes a line.</summary>
    private ILogger Logger => IsStranger ? strangerLogger : logger;

    public override bool IsConnected => current is not null;

    public bool CanSend => current is { } connection && connection.Ring.CanSendBulk();

    /// <summary>Bytes that wait to be sent. Loop thread.</summary>
    public long WaitingBytes => current?.Ring.Backlog ?? 0;

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

    /// <summary>Stops dialling and ends the connection. <see cref="RunAsync"/> ends soon after.</summary>
    public override void Stop()
    {
        isStopped = true;
        Cancel(attempt);
    }

    /// <summary>Dials and carries connections until <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        while (!isStopped)
        {
            // Read the token before the address: an address that arrives later cancels this token.
            CancellationToken moved = attempt.Token;
            PeerAddress address = NextDestination();
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

    protected override void Redial()
    {
        CancellationTokenSource old = attempt;
        attempt = new CancellationTokenSource();
        Cancel(old);
    }

    protected override void Wake() => wake.TrySetResult();

    private void BeginAnew()
    {
        ForgetAttempts();
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
            // The peer has just learnt its cluster, and soon listens again as a member.
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
