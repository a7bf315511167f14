using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Outbound;

/// <summary>
/// Dials an address of <c>--cluster</c> that no link dials, while a member is not connected. All members may have moved
/// at once, so the addresses in the log may be dead. The member at the address accepts the handshake and dials this
/// node back. Its handshake says which member it is.
/// </summary>
/// <param name="handshake">A handshake of kind <see cref="ConnectionKind.Hint"/>.</param>
/// <param name="isNeeded">Called on any thread.</param>
[SuppressMessage(
    "Design", "CA1001", Justification = "A cancellation source without a timer and a wait handle holds nothing.")]
internal sealed class PeerHint(
    PeerAddress address, Handshake handshake, Func<PeerAddress, bool> isNeeded, ILogger logger, PeerOptions options)
{
    private readonly CancellationTokenSource stop = new();
    private bool isLogged;

    public void Stop() => _ = stop.CancelAsync();

    public async Task RunAsync()
    {
        TimeSpan pause = options.BackoffMin;
        while (!stop.IsCancellationRequested)
        {
            if (isNeeded(address))
                pause = await DialAsync(pause);
            else
                pause = options.BackoffMin;
            await Task.Delay(pause, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>The pause until the next attempt.</returns>
    private async Task<TimeSpan> DialAsync(TimeSpan last)
    {
        DialResult result = await new PeerDialer(address, handshake, options).DialAsync(stop.Token);
        if (result.Connection is { } connection)
        {
            // The connection carries nothing else. The member dials back.
            await connection.DisposeAsync();
            return options.BackoffMax;
        }
        TimeSpan doubled = 2 * last < options.BackoffMax ? 2 * last : options.BackoffMax;
        // Perhaps the member is not up yet.
        if (!result.WasReached || stop.IsCancellationRequested)
            return doubled;
        if (!isLogged)
        {
            isLogged = true;
            string reason = result.Refusal == HandshakeStatus.Accepted ? result.Reason : $"{result.Refusal}";
            PeerLogLines.HintIsWrong(logger, address, reason);
        }
        return options.WrongHintPause;
    }
}
