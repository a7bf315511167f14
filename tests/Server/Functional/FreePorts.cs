using System.Net;
using System.Net.Sockets;

namespace RaftFast.Server.Tests.Functional;

/// <summary>
/// Ports that nobody listens on, below the range from which Linux takes the ports of outgoing connections (32768 and up):
/// a port of that range could be taken while its node is down.
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
        throw new InvalidOperationException($"no free port from {First} to {Last}");
    }

    public static bool IsFree(int port)
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
