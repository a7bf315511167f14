using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Outbound;

/// <summary>
/// Dials an address of <c>--cluster</c> that no link dials, while a member is not connected. All members may have moved
/// at once, so the addresses in the log may be dead. The member at the address accepts the handshake and dials this
/// node back. The handshake of that connection says which member is there.
/// </summary>
/// <param name="handshake">A handshake of kind <see cref="ConnectionKind.Hint"/>.</param>
/// <param name="isNeeded">Called on any thread.</param>
[SuppressMessage(
    "Design", "CA1001", Justification = "A cancellation source without a timer and a wait handle holds nothing.")]
internal sealed class PeerHint(
    HintedAddress hint, Handshake handshake, Func<PeerAddress, bool> isNeeded, ILogger logger, PeerOptions options)
{
    private readonly CancellationTokenSource stop = new();
    private bool isLogged;

    public void Stop() => _ = stop.CancelAsync();

    public async Task RunAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            HintOutcome outcome = isNeeded(hint.Address) ? await DialAsync() : HintOutcome.NotNeeded;
            TimeSpan pause = hint.PauseAfter(outcome);
            await Task.Delay(pause, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<HintOutcome> DialAsync()
    {
        DialResult result = await new PeerDialer(hint.Address, handshake, options).DialAsync(stop.Token);
        if (result.Connection is { } connection)
        {
            // The connection carries nothing else.
            await connection.DisposeAsync();
            return HintOutcome.Accepted;
        }
        if (!result.WasReached || stop.IsCancellationRequested)
            return HintOutcome.Unreached;
        if (!isLogged)
        {
            isLogged = true;
            string reason = result.Refusal == HandshakeStatus.Accepted ? result.Reason : $"{result.Refusal}";
            PeerLogLines.HintIsWrong(logger, hint.Address, reason);
        }
        return HintOutcome.Refused;
    }
}
