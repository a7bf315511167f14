using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// Sends the newest snapshot to one peer, over as many connections as needed: each continues after the chunks that the
/// peer says it has. A thread of its own reads the file and sends from the reader's window. The time is not limited.
/// The number of consecutive connections without progress is limited.
/// </summary>
/// <param name="address">Returns the address at which the peer is dialled.</param>
/// <param name="handshake">The handshake to send; its To is the peer.</param>
/// <param name="term">Term of the leader that sends.</param>
/// <param name="index">Index of the newest snapshot now; the file that is opened later may be a newer one.</param>
[SuppressMessage(
    "Design", "CA1001", Justification = "A cancellation source without a timer and a wait handle holds nothing.")]
internal sealed class SnapshotSender(
    Func<PeerAddress> address, Handshake handshake, long term, long index,
    SnapshotStore snapshots, Inbox inbox, ILogger logger, PeerOptions options)
{
    private readonly CancellationTokenSource stop = new();
    private readonly SnapshotSent sent = new(handshake.To);
    private readonly SendRate rate = new(options.SnapshotBytesPerSecond, TimeProvider.System);
    private long bytesSent;
    private long index = index;
    private readonly long beganIn = term;
    private int confirmed = -1;
    private bool isBusy;
    private volatile bool isReported;

    public ulong Peer => handshake.To;

    /// <summary>
    /// Term of the leader for which the loop has begun or continued the sending. Loop thread only.
    /// </summary>
    public long Term { get; set; } = term;

    /// <summary>Index of the last entry that the snapshot covers, or an earlier index until its file is open.</summary>
    public long Index => Volatile.Read(ref index);

    /// <summary>Bytes sent so far, over all connections.</summary>
    public long BytesSent => Volatile.Read(ref bytesSent);

    /// <summary>True once the loop has taken the report of the end.</summary>
    public bool IsOver => isReported && !sent.IsWaiting;

    /// <summary>Stops the sending, from any thread. <see cref="Run"/> ends soon after.</summary>
    public void Stop() => _ = stop.CancelAsync();

    /// <summary>Sends until the snapshot is installed or given up, and posts the result.</summary>
    public void Run()
    {
        sent.Installed = Send();
        // The pause comes before the report, because the leader tries again as soon as it learns of the failure.
        if (sent.Installed == 0)
            Pause(isBusy ? options.SnapshotBusyPause : options.SnapshotRetryPause);
        inbox.Post(sent);
        isReported = true;
    }

    /// <returns>Index of the last entry that the peer now has from the snapshot, or 0 if the sending failed.</returns>
    private long Send()
    {
        using SnapshotReader? reader = snapshots.TryReadNewest();
        if (reader is null)
            return 0;
        long start = Stopwatch.GetTimestamp();
        long bytes = 0;
        InstallStatus? verdict = null;
        if (reader.Damage is null)
        {
            Volatile.Write(ref index, reader.Position.Index);
            verdict = Send(reader, ref bytes);
        }
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (reader.Damage is not null)
        {
            // The older snapshot and the log after it hold the same state. The damaged file must not displace the older
            // snapshot.
            PeerLogLines.SnapshotDamaged(logger, Peer, reader.Damage);
            if (reader.File is { } damaged)
                snapshots.SetAside(damaged);
        }
        else if (verdict is InstallStatus.Installed or InstallStatus.NotWanted)
        {
            PeerLogLines.SnapshotEnds(logger, Index, Peer, verdict.Value, bytes, seconds);
        }
        else if (verdict == InstallStatus.Busy)
        {
            isBusy = true;
            PeerLogLines.SnapshotWaits(logger, Index, Peer);
        }
        else
        {
            string reason = verdict?.ToString() ?? "it can't be reached";
            PeerLogLines.SnapshotFails(logger, Index, Peer, reason, bytes, seconds);
        }
        // A peer that does not want the snapshot has the snapshot's entries. The leader's next probe, after the
        // snapshot, confirms this.
        return verdict is InstallStatus.Installed or InstallStatus.NotWanted ? Index : 0;
    }

    private InstallStatus? Send(SnapshotReader reader, ref long bytes)
    {
        TimeSpan backoff = options.BackoffMin;
        int attemptsLeft = options.SnapshotAttemptsMax;
        while (!stop.IsCancellationRequested && reader.Damage is null && attemptsLeft-- > 0)
        {
            PeerDialer dialer = new(address(), handshake, options);
            DialResult dialled = dialer.DialAsync(stop.Token).GetAwaiter().GetResult();
            if (dialled.Connection is { } stream)
            {
                int before = confirmed;
                if (SendOver(stream, reader, ref bytes) is { } verdict)
                    return verdict;
                if (confirmed > before)
                    (attemptsLeft, backoff) = (options.SnapshotAttemptsMax, options.BackoffMin);
            }
            Pause(backoff);
            backoff = backoff * 2 < options.BackoffMax ? backoff * 2 : options.BackoffMax;
        }
        return null;
    }

    /// <returns>The peer's verdict; null if the connection broke or the file is damaged.</returns>
    private InstallStatus? SendOver(Stream stream, SnapshotReader reader, ref long bytes)
    {
        int chunks = 0;
        try
        {
            using (stream)
            using (stop.Token.UnsafeRegister(static stream => ((Stream)stream!).Dispose(), stream))
            {
                SnapshotFrames answers = new(stream);
                reader.Rewind();
                if (reader.Damage is not null)
                    return null;
                Write(stream, reader, ref bytes);
                InstallStatus status = ReadAnswerAsync(answers).GetAwaiter().GetResult();
                if (status != InstallStatus.Continue)
                    return status;
                chunks = answers.Message.Count;
                if (!reader.TrySkipTo(chunks))
                    throw new IOException($"the peer says that it has {chunks} chunks, but the snapshot has fewer");
                if (confirmed < 0)
                    PeerLogLines.SnapshotBegins(logger, Index, Peer);
                confirmed = Math.Max(confirmed, chunks);
                // The peer's verdict may arrive before the end of the file. After the end, the peer may take any time
                // to load the snapshot.
                Task<InstallStatus> verdict = ReadAnswerAsync(answers);
                ProgressLine progress = new(
                    string.Create(
                        CultureInfo.InvariantCulture, $"sending the snapshot up to entry {Index} to member {Peer}"),
                    TimeProvider.System);
                SnapshotReadStatus read = SnapshotReadStatus.Chunk;
                while (read == SnapshotReadStatus.Chunk && !verdict.IsCompleted)
                {
                    read = reader.Read();
                    if (read == SnapshotReadStatus.Damaged)
                        return null;
                    Write(stream, reader, ref bytes);
                    progress.Write(logger, reader.End, reader.FileBytes);
                    chunks++;
                }
                status = verdict.GetAwaiter().GetResult();
                return status == InstallStatus.Continue
                    ? throw new IOException("the peer asked to continue a snapshot that was already being sent")
                    : status;
            }
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            if (!stop.IsCancellationRequested)
                PeerLogLines.SnapshotBreaks(logger, Index, Peer, chunks, PeerSocket.Reason(exception));
            return null;
        }
    }

    private void Write(Stream stream, SnapshotReader reader, ref long bytes)
    {
        Message message = new()
        {
            Type = MessageType.InstallSnapshot,
            Term = beganIn,
            Context = reader.FileBytes,
            Count = 1,
        };
        SnapshotFrames.Write(stream, message, reader.Image);
        bytes += reader.Image.Length;
        Volatile.Write(ref bytesSent, bytes);
        Pause(rate.Spend(reader.Image.Length));
    }

    private static async Task<InstallStatus> ReadAnswerAsync(SnapshotFrames answers)
    {
        bool isAnswer = await answers.TryReadAsync(MessageType.InstallSnapshotResponse, CancellationToken.None);
        return isAnswer && answers.Message.Context is >= (long)InstallStatus.Continue and <= (long)InstallStatus.Busy
            ? (InstallStatus)answers.Message.Context
            : throw new IOException("the peer's answer is damaged or malformed");
    }

    private void Pause(TimeSpan time) =>
        Task.Delay(time, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
}
