using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>The accepting side's part of a handshake: reads it, has it judged, answers, and tells of what was not accepted.</summary>
internal sealed class InboundHandshake(InboundHandshake.Judge judge, ILogger logger, PeerOptions options)
{
    private readonly LoggedRefusals told = new();

    public delegate HandshakeStatus Judge(in Handshake handshake, uint version);

    /// <returns>The one that was answered and the answer; null when the connection ended, timed out, or was no member's at all.</returns>
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
            while ((decoded = Handshake.TryRead(bytes.AsSpan(0, length), out handshake, out version)) == DecodeStatus.Incomplete)
            {
                int read = await input.ReadAsync(bytes.AsMemory(length), deadline.Token);
                if (read == 0)
                    return null;
                length += read;
            }
            if (decoded == DecodeStatus.Invalid)
            {
                PeerLogLines.NoHandshake(logger, remote, "what it sent is no handshake");
                return null;
            }
            HandshakeStatus status = judge(handshake, version);
            Handshake.WriteAnswer(bytes, status);
            await output.WriteAsync(bytes.AsMemory(0, Handshake.AnswerSize), deadline.Token);
            await output.FlushAsync(deadline.Token);
            if (told.IsNews(handshake, version, status))
                PeerLogLines.Refused(logger, remote, status, handshake.From, handshake.ClusterId, version, handshake.To);
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
