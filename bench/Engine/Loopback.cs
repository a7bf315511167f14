using System.Net;
using System.Net.Sockets;

namespace RaftFast.Engine;

/// <summary>Free ports of this machine's loopback.</summary>
internal static class Loopback
{
    public static IPEndPoint[] FreeEndPoints(int count)
    {
        // All ports are held until the last is found, so that no two are the same.
        TcpListener[] listeners = new TcpListener[count];
        IPEndPoint[] endPoints = new IPEndPoint[count];
        for (int i = 0; i < count; i++)
        {
            listeners[i] = new TcpListener(IPAddress.Loopback, 0);
            listeners[i].Start();
            endPoints[i] = (IPEndPoint)listeners[i].LocalEndpoint;
        }
        foreach (TcpListener listener in listeners)
            listener.Dispose();
        return endPoints;
    }
}
