using Microsoft.Extensions.Logging;
using RaftFast.Protocol;

namespace RaftFast.Server.Peers;

/// <summary>
/// The way to one member: dials it for ever, one connection at a time, and hands each to the loop thread through one volatile
/// field. The loop takes it up with its next frame; a connection that has ended drops what is written to it.
/// </summary>
internal sealed class PeerLink
{
    private readonly Member member;
    private readonly Inbox inbox;
    private readonly ILogger logger;
    private readonly PeerOptions options;
    private readonly PeerDialer dialer;
    private readonly Random jitter;
    private readonly PeerConnected connected;
    private readonly PeerLost lost;
    private readonly PeerDrained drained;

    /// <summary>Of one connection after the other: <see cref="OutboundConnection.RunAsync"/> has returned before the next gets it.</summary>
    private readonly Lazy<byte[]> ringMemory;

    private volatile OutboundConnection? current;

    /// <summary>Loop thread: the connection of the frame being written.</summary>
    private OutboundConnection? writing;

    public PeerLink(Member member, ulong self, ulong clusterId, Inbox inbox, ILogger logger, PeerOptions options, int seed)
    {
        this.member = member;
        this.inbox = inbox;
        this.logger = logger;
        this.options = options;
        dialer = new PeerDialer(member.Address, new Handshake(clusterId, self, member.Id), options);
        jitter = new Random(seed);
        connected = new PeerConnected(member.Id);
        lost = new PeerLost(member.Id);
        drained = new PeerDrained(member.Id);
        ringMemory = new Lazy<byte[]>(() => GC.AllocateUninitializedArray<byte>(options.SendBytesMax, pinned: true));
    }

    public ulong Peer => member.Id;

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

    /// <summary>Until <paramref name="stop"/>.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        TimeSpan backoff = options.BackoffMin;
        bool? reachable = null;
        HandshakeStatus refusal = HandshakeStatus.Accepted;
        while (!stop.IsCancellationRequested)
        {
            DialResult result = await dialer.DialAsync(stop);
            string reason = result.Reason;
            if (result.Connection is { } stream)
            {
                PeerLog.Reachable(logger, member.Id, member.Address);
                reachable = true;
                long start = Environment.TickCount64;
                OutboundConnection connection = new(stream, new SendRing(ringMemory.Value, options.BulkBytesMax, inbox, drained));
                reason = await CarryAsync(connection, stop);
                if (Environment.TickCount64 - start > options.BackoffMax.TotalMilliseconds)
                    backoff = options.BackoffMin;
            }
            if (stop.IsCancellationRequested)
                return;
            if (result.Refusal != HandshakeStatus.Accepted && result.Refusal != refusal)
                PeerLog.RefusedBy(logger, member.Id, member.Address, result.Refusal);
            else if (result.Refusal == HandshakeStatus.Accepted && reachable != false)
                PeerLog.Unreachable(logger, member.Id, member.Address, reason);
            reachable = false;
            refusal = result.Refusal;
            backoff = await PauseAsync(backoff, stop);
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

    /// <summary>
    /// Also until the loop has taken note of the last loss: so that it sees each connection begin and end in order, and no more
    /// than one of each event is outstanding.
    /// </summary>
    private async Task<TimeSpan> PauseAsync(TimeSpan backoff, CancellationToken stop)
    {
        do
        {
            await Task.Delay(backoff * (1 - jitter.NextDouble() / 2), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            backoff = backoff * 2 < options.BackoffMax ? backoff * 2 : options.BackoffMax;
        }
        while (lost.IsWaiting && !stop.IsCancellationRequested);
        return backoff;
    }
}
