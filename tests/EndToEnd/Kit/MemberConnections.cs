using System.Net.Sockets;
using System.Text;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// One client's connections, at most one to each member, opened when needed. A connection that fails is replaced at the
/// next request.
/// </summary>
internal sealed class MemberConnections(IReadOnlyList<ClusterNode> nodes) : IDisposable
{
    /// <summary>
    /// Time that an answer may take. Afterwards the outcome stays unknown, and the client tries another member.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly HttpConnection?[] connections = new HttpConnection?[nodes.Count];

    /// <param name="wasSent">False if the request certainly reached no member.</param>
    /// <param name="breaks">True to end the connection after the request is sent.</param>
    /// <param name="fields">Further header lines, each without its line end.</param>
    /// <returns>Null if no answer came.</returns>
    public HttpAnswer? TryExchange(
        int member, string method, int key, string body, out bool wasSent, bool breaks = false,
        params ReadOnlySpan<string> fields)
    {
        wasSent = false;
        try
        {
            HttpConnection connection = connections[member] ??= HttpConnection.Open(nodes[member].HttpPort, Patience);
            wasSent = true;
            connection.Send(method, $"/{key}", Encoding.ASCII.GetBytes(body), fields);
            if (breaks)
                throw new IOException("the client breaks the connection");
            return connection.Receive();
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            connections[member]?.Dispose();
            connections[member] = null;
            return null;
        }
    }

    public void Dispose()
    {
        foreach (HttpConnection? connection in connections)
            connection?.Dispose();
    }
}
