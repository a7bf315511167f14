using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>The connections that have a client.</summary>
internal sealed class OpenConnections
{
    private readonly Lock entry = new();
    private readonly List<HttpConnection> connections = [];

    public void Add(HttpConnection connection)
    {
        lock (entry)
        {
            connection.Slot = connections.Count;
            connections.Add(connection);
        }
    }

    public void Remove(HttpConnection connection)
    {
        lock (entry)
        {
            Invariant.Hold(connections[connection.Slot] == connection);
            HttpConnection last = connections[^1];
            connections[connection.Slot] = last;
            last.Slot = connection.Slot;
            connections.RemoveAt(connections.Count - 1);
        }
    }

    /// <summary>
    /// Maximum, over all connections, of the bytes that one connection holds in requests and answers.
    /// </summary>
    public long MemoryHeldGreatest()
    {
        long greatest = 0;
        lock (entry)
        {
            foreach (HttpConnection connection in connections)
                greatest = Math.Max(greatest, connection.MemoryHeld);
        }
        return greatest;
    }

    public void WakeAll()
    {
        lock (entry)
        {
            foreach (HttpConnection connection in connections)
                connection.WakeElsewhere();
        }
    }

    public void WakeDue()
    {
        lock (entry)
        {
            foreach (HttpConnection connection in connections)
                connection.WakeIfDue();
        }
    }

    /// <summary>Closes the connection that has been idle longest.</summary>
    /// <param name="latest">Connections that became idle after this time stay.</param>
    /// <returns>False if no connection became idle at that time or earlier.</returns>
    public bool TryCloseIdlest(long latest)
    {
        lock (entry)
        {
            HttpConnection? idlest = null;
            long since = latest + 1;
            foreach (HttpConnection connection in connections)
            {
                if (connection.IdleSince < since && !connection.IsGivingWay)
                    (idlest, since) = (connection, connection.IdleSince);
            }
            idlest?.GiveWay(since);
            return idlest is not null;
        }
    }

    /// <summary>
    /// Ends the connections that took or sent bytes least recently, until they held <paramref name="bytes"/>.
    /// </summary>
    /// <param name="latest">Connections that moved bytes after this time stay.</param>
    /// <returns>Number of connections that end.</returns>
    public int EndSlowest(long bytes, long latest)
    {
        int ended = 0;
        lock (entry)
        {
            while (bytes > 0)
            {
                HttpConnection? slowest = null;
                foreach (HttpConnection connection in connections)
                {
                    if (connection.MemoryHeld > 0 && !connection.IsEnding && connection.MovedAt <= latest
                        && (slowest is null || connection.MovedAt < slowest.MovedAt))
                    {
                        slowest = connection;
                    }
                }
                if (slowest is null)
                    break;
                bytes -= slowest.MemoryHeld;
                slowest.EndSoon();
                ended++;
            }
        }
        return ended;
    }
}
