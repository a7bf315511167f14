using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>Which refusals have been logged: who is refused dials again for ever, and is told of once. Any thread.</summary>
internal sealed class LoggedRefusals
{
    /// <summary>More are forgotten together, and told of once more.</summary>
    private const int Max = 64;

    private readonly Lock gate = new();
    private readonly HashSet<(ulong ClusterId, ulong From, uint Version)> told = [];

    /// <returns>Whether this answer is worth a line.</returns>
    public bool IsNews(in Handshake handshake, uint version, HandshakeStatus answer)
    {
        lock (gate)
        {
            if (answer == HandshakeStatus.Accepted)
            {
                told.Remove((handshake.ClusterId, handshake.From, version));
                return false;
            }
            if (told.Count == Max)
                told.Clear();
            return answer != HandshakeStatus.Joining && told.Add((handshake.ClusterId, handshake.From, version));
        }
    }
}
