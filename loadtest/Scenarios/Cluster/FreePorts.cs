using System.Net;
using System.Net.Sockets;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>
/// Ports that nobody listens on, below the range from which Linux takes the ports of outgoing connections (32768 and up):
/// one of that range could be taken while its member is down, by a client of this very load.
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
        throw new ClusterException($"no port from {First} to {Last} is free");
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
