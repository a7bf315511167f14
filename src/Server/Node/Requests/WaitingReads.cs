using System.Runtime.InteropServices;
using RaftFast.Http;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// GETs that wait until their key changes (RFC 7240 §4.3). A changed key wakes the reads of that key alone. A waiting
/// read takes <see cref="Item"/> and a place in a dictionary, about 70 bytes, beside its request.
/// </summary>
internal sealed class WaitingReads(StateMachine state)
{
    private const int None = -1;

    /// <summary>First item of each key's list, by the key's hash. Keys with equal hashes share a list.</summary>
    private readonly Dictionary<ulong, int> lists = [];

    private readonly List<Item> items = [];
    private readonly Stack<int> free = [];

    public int Count => items.Count - free.Count;

    public void Add(ClientRequest request)
    {
        ulong hash = state.Store.HashOf(request.Key);
        if (!free.TryPop(out int place))
        {
            place = items.Count;
            items.Add(default);
        }
        ref int first = ref CollectionsMarshal.GetValueRefOrAddDefault(lists, hash, out bool exists);
        int next = exists ? first : None;
        first = place;
        Span<Item> all = CollectionsMarshal.AsSpan(items);
        all[place] = new Item { Request = request, Hash = hash, Previous = None, Next = next };
        if (next != None)
            all[next].Previous = place;
    }

    /// <summary>Moves the reads of this key to <paramref name="woken"/>.</summary>
    public void Take(ReadOnlySpan<byte> key, List<ClientRequest> woken)
    {
        if (!lists.TryGetValue(state.Store.HashOf(key), out int place))
            return;
        while (place != None)
        {
            Item item = items[place];
            if (item.Request!.Key.SequenceEqual(key))
            {
                Remove(place);
                woken.Add(item.Request);
            }
            place = item.Next;
        }
    }

    /// <summary>Moves the reads of all keys that begin with this prefix. Visits every read.</summary>
    public void TakeUnder(ReadOnlySpan<byte> prefix, List<ClientRequest> woken)
    {
        for (int place = 0; place < items.Count; place++)
        {
            if (items[place].Request is not { } request || !request.Key.StartsWith(prefix))
                continue;
            Remove(place);
            woken.Add(request);
        }
    }

    /// <summary>Moves all reads that have waited long enough, or whose client is gone.</summary>
    /// <param name="now">MaxValue for every read.</param>
    public void TakeDue(long now, List<ClientRequest> woken)
    {
        for (int place = 0; place < items.Count; place++)
        {
            if (items[place].Request is not { } request || (request.WaitUntil > now && !request.IsAbandoned))
                continue;
            Remove(place);
            woken.Add(request);
        }
    }

    private void Remove(int place)
    {
        Span<Item> all = CollectionsMarshal.AsSpan(items);
        Item item = all[place];
        if (item.Next != None)
            all[item.Next].Previous = item.Previous;
        if (item.Previous != None)
            all[item.Previous].Next = item.Next;
        else if (item.Next != None)
            lists[item.Hash] = item.Next;
        else
            lists.Remove(item.Hash);
        all[place] = default;
        free.Push(place);
    }

    private struct Item
    {
        public ClientRequest? Request;
        public ulong Hash;
        public int Previous;
        public int Next;
    }
}
