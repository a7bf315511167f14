using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>The connections that have a client: the front's stop and its sweep reach all of them.</summary>
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

    public void WakeAll()
    {
        lock (entry)
        {
            foreach (HttpConnection connection in connections)
                connection.WakeElsewhere();
        }
    }

    public void WakeLate()
    {
        lock (entry)
        {
            foreach (HttpConnection connection in connections)
                connection.WakeIfLate();
        }
    }
}
