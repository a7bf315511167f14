using System.Net;
using System.Net.Sockets;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>
/// Ports without a listener, below the range that Linux uses for outgoing connections (32768 and up). If a member's
/// port were in that range, a client of the load could take it while the member is down.
/// </summary>
internal static class FreePorts
{
    private const int First = 20_000;
    private const int Last = 32_000;

    private static int next = First + Environment.ProcessId % (Last - First);

    public static int Take()
    {
        for (int attempts = 0; attempts < Last - First; attempts++)
        {
            next = next < Last ? next + 1 : First;
            if (IsFree(next))
                return next;
        }
        throw new ClusterException($"no port from {First} to {Last} is free: end other processes that listen there");
    }

    private static bool IsFree(int port)
    {
        using TcpListener listener = new(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
