namespace RaftFast.Server.Peers.Inbound;

/// <summary>
/// Inbound connections whose handshake is not complete. Beyond a bound the oldest connection is closed, so that silent
/// connections do not keep the port from the peers. A peer needs one round trip for its handshake.
/// </summary>
internal sealed class PendingHandshakes(int max)
{
    private readonly Lock gate = new();
    private readonly LinkedList<Action> pending = [];

    public int Max => max;

    public int Count
    {
        get
        {
            lock (gate)
                return pending.Count;
        }
    }

    /// <param name="close">Closes the connection, from any thread.</param>
    /// <returns>The connection's place, for <see cref="Leave"/>.</returns>
    public LinkedListNode<Action> Enter(Action close)
    {
        LinkedListNode<Action> place;
        Action? oldest = null;
        lock (gate)
        {
            place = pending.AddLast(close);
            if (pending.Count > max)
            {
                oldest = pending.First!.Value;
                pending.RemoveFirst();
            }
        }
        oldest?.Invoke();
        return place;
    }

    public void Leave(LinkedListNode<Action> place)
    {
        lock (gate)
        {
            if (place.List is not null)
                pending.Remove(place);
        }
    }
}
