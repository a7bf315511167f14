using System.Net;
using System.Net.Sockets;

namespace RaftFast.Tests;

/// <summary>
/// Ports without a listener, below the range from which Linux takes the ports of outgoing connections (32768 and up).
/// If a node's port were in that range, an outgoing connection could take it while the node is down.
/// </summary>
internal static class FreePorts
{
    private const int First = 20_000;
    private const int Last = 32_000;

    /// <summary>
    /// Distance between the first ports of two test processes with consecutive ids: such processes may run side by
    /// side.
    /// </summary>
    private const int ProcessStride = 1009;

    private static readonly Lock Gate = new();

    private static int next = First + Environment.ProcessId % (Last - First) * ProcessStride % (Last - First);

    /// <summary>
    /// Returns a port that no other call in this process has returned, until all have been returned once.
    /// </summary>
    public static int Take()
    {
        lock (Gate)
        {
            for (int attempts = 0; attempts < Last - First; attempts++)
            {
                next = next < Last ? next + 1 : First;
                if (IsFree(next))
                    return next;
            }
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
