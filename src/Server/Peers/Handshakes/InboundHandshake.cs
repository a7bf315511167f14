using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>
/// The accepting side of a handshake: reads the handshake, has it judged, answers, and logs refusals.
/// </summary>
internal sealed class InboundHandshake(
    Func<Handshake, uint, ValueTask<HandshakeStatus>> judge, ILogger logger, PeerOptions options)
{
    private readonly LoggedRefusals logged = new();

    /// <returns>
    /// The handshake and the answer to it. Null if the connection ended or timed out before, or sent bytes that are not
    /// a handshake.
    /// </returns>
    public async Task<(Handshake Handshake, HandshakeStatus Answer)?> AnswerAsync(
        Stream input, Stream output, EndPoint? remote, CancellationToken stop)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(options.HandshakeTimeout);
        byte[] bytes = new byte[Handshake.Size];
        int length = 0;
        try
        {
            DecodeStatus decoded;
            Handshake handshake;
            uint version;
            while ((decoded = Handshake.TryRead(bytes.AsSpan(0, length), out handshake, out version))
                == DecodeStatus.Incomplete)
            {
                int read = await input.ReadAsync(bytes.AsMemory(length), deadline.Token);
                if (read == 0)
                    return null;
                length += read;
            }
            if (decoded == DecodeStatus.Invalid)
            {
                PeerLogLines.NoHandshake(logger, remote, "its first bytes are not a handshake");
                return null;
            }
            HandshakeStatus status = await judge(handshake, version);
            Handshake.WriteAnswer(bytes, status);
            await output.WriteAsync(bytes.AsMemory(0, Handshake.AnswerSize), deadline.Token);
            await output.FlushAsync(deadline.Token);
            if (logged.IsNews(handshake, version, status))
            {
                PeerLogLines.Refused(
                    logger, remote, status, handshake.From, handshake.ClusterId, version, handshake.To);
            }
            return (handshake, status);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            PeerLogLines.NoHandshake(logger, remote, "no handshake in time");
            return null;
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            return null;
        }
    }
}

/// <summary>
/// Refusals that were logged. A refused node dials again for ever, so each refusal is logged once. Safe on any thread.
/// </summary>
internal sealed class LoggedRefusals
{
    /// <summary>
    /// Maximum refusals remembered. At the maximum, all are forgotten, so each refusal is logged once more.
    /// </summary>
    private const int Max = 64;

    private readonly Lock gate = new();
    private readonly HashSet<(ulong ClusterId, ulong From, uint Version)> logged = [];

    /// <returns>True if this answer has to be logged.</returns>
    public bool IsNews(in Handshake handshake, uint version, HandshakeStatus answer)
    {
        lock (gate)
        {
            if (answer == HandshakeStatus.Accepted)
            {
                logged.Remove((handshake.ClusterId, handshake.From, version));
                return false;
            }
            if (logged.Count == Max)
                logged.Clear();
            return answer != HandshakeStatus.Joining && logged.Add((handshake.ClusterId, handshake.From, version));
        }
    }
}
