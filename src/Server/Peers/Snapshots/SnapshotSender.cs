using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Peers.Outbound;
using RaftFast.Server.Threads;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// The newest snapshot on its way to one peer, over as many connections as it takes: each goes on behind what the peer says that it
/// has. A thread of its own reads the file and sends, from the reader's window. There is no limit on time, only on connections that
/// bring nothing.
/// </summary>
/// <param name="link">Knows where the peer is.</param>
/// <param name="handshake">To says whom to dial.</param>
/// <param name="term">Of the leader that sends.</param>
/// <param name="index">Of the oldest snapshot that may be the newest when the file is opened.</param>
[SuppressMessage("Design", "CA1001", Justification = "A cancellation source without a timer and a wait handle holds nothing.")]
internal sealed class SnapshotSender(
    PeerLink link, Handshake handshake, long term, long index, SnapshotStore snapshots, Inbox inbox, ILogger logger, PeerOptions options)
{
    private readonly CancellationTokenSource stop = new();
    private readonly SnapshotSent sent = new(handshake.To);
    private readonly SendRate rate = new(options.SnapshotBytesPerSecond, TimeProvider.System);
    private long index = index;
    private int confirmed = -1;
    private volatile bool isReported;

    public ulong Peer => handshake.To;

    public long Term { get; } = term;

    /// <summary>The last entry that the snapshot covers, or an earlier one before its file is open.</summary>
    public long Index => Volatile.Read(ref index);

    /// <summary>The loop has been told, and has taken note.</summary>
    public bool IsOver => isReported && !sent.IsWaiting;

    /// <summary>Any thread. <see cref="Run"/> ends soon after.</summary>
    public void Stop() => _ = stop.CancelAsync();

    /// <summary>Until it is installed, or given up; either is posted.</summary>
    public void Run()
    {
        sent.Installed = Send();
        // Whoever wants the snapshot will ask for another at once.
        if (sent.Installed == 0)
            Pause(options.SnapshotRetryPause);
        inbox.Post(sent);
        isReported = true;
    }

    /// <returns>Up to which entry the peer has it now, or 0.</returns>
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
            PeerLogLines.SnapshotBegins(logger, Index, Peer);
            verdict = Send(reader, ref bytes);
        }
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (reader.Damage is not null)
        {
            // The one before it, and the log behind that, are as good; and it must not push that one out.
            PeerLogLines.SnapshotDamaged(logger, Peer, reader.Damage);
            if (reader.File is { } damaged)
                snapshots.SetAside(damaged);
        }
        else if (verdict is InstallStatus.Installed or InstallStatus.NotWanted)
            PeerLogLines.SnapshotEnds(logger, Index, Peer, verdict.Value, bytes, seconds);
        else
            PeerLogLines.SnapshotFails(logger, Index, Peer, verdict?.ToString() ?? "it can't be reached", bytes, seconds);
        // Who doesn't want it holds what it covers: a probe behind it will tell.
        return verdict is InstallStatus.Installed or InstallStatus.NotWanted ? Index : 0;
    }

    private InstallStatus? Send(SnapshotReader reader, ref long bytes)
    {
        TimeSpan backoff = options.BackoffMin;
        int attemptsLeft = options.SnapshotAttemptsMax;
        while (!stop.IsCancellationRequested && reader.Damage is null && attemptsLeft-- > 0)
        {
            DialResult dialled = new PeerDialer(link.Address, handshake, options).DialAsync(stop.Token).GetAwaiter().GetResult();
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

    /// <returns>Null when the connection broke, or the file is damaged.</returns>
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
                    throw new IOException($"it says that it has {chunks} chunks, and there are fewer");
                confirmed = Math.Max(confirmed, chunks);
                // It may have seen enough before the end; and takes as long as it needs to load all of it behind the end.
                Task<InstallStatus> verdict = ReadAnswerAsync(answers);
                SnapshotReadStatus read = SnapshotReadStatus.Chunk;
                while (read == SnapshotReadStatus.Chunk && !verdict.IsCompleted)
                {
                    read = reader.Read();
                    if (read == SnapshotReadStatus.Damaged)
                        return null;
                    Write(stream, reader, ref bytes);
                    chunks++;
                }
                status = verdict.GetAwaiter().GetResult();
                return status == InstallStatus.Continue ? throw new IOException("it answers out of turn") : status;
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
        Message message = new() { Type = MessageType.InstallSnapshot, Term = Term, Count = 1 };
        SnapshotFrames.Write(stream, message, reader.Image);
        bytes += reader.Image.Length;
        Pause(rate.Spend(reader.Image.Length));
    }

    private static async Task<InstallStatus> ReadAnswerAsync(SnapshotFrames answers)
    {
        bool isAnswer = await answers.TryReadAsync(MessageType.InstallSnapshotResponse, CancellationToken.None);
        return isAnswer && answers.Message.Context is >= (long)InstallStatus.Continue and <= (long)InstallStatus.Busy
            ? (InstallStatus)answers.Message.Context
            : throw new IOException("its answer is damaged or malformed");
    }

    private void Pause(TimeSpan time) =>
        Task.Delay(time, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
}
