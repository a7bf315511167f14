namespace RaftFast.Server.Api;

/// <summary>The watches of one prefix.</summary>
internal sealed class WatchGroup(byte[] prefix)
{
    public byte[] Prefix { get; } = prefix;

    /// <summary>Group of the longest shorter prefix with which this prefix begins; null if there is none.</summary>
    public WatchGroup? Shorter { get; set; }

    public int Count { get; set; }

    /// <summary>End of the last change under the prefix that the scan has met.</summary>
    public long MatchedTo { get; set; }

    /// <summary>Watches that wait for the next change under the prefix.</summary>
    public List<Watch> Parked { get; } = [];
}

/// <summary>The groups in the order of their prefixes. Finds the groups of a key in logarithmic time.</summary>
internal sealed class WatchGroups
{
    private readonly List<WatchGroup> sorted = [];

    public bool IsEmpty => sorted.Count == 0;

    /// <summary>Bytes of the longest prefix.</summary>
    public int PrefixBytesMax { get; private set; }

    public WatchGroup GetOrAdd(byte[] prefix)
    {
        int place = LastUpTo(prefix);
        if (place >= 0 && sorted[place].Prefix.AsSpan().SequenceEqual(prefix))
            return sorted[place];
        WatchGroup added = new(prefix);
        sorted.Insert(place + 1, added);
        Link();
        return added;
    }

    public void Remove(WatchGroup group)
    {
        sorted.Remove(group);
        Link();
    }

    /// <summary>
    /// Finds the longest of the prefixes that the key begins with; its <see cref="WatchGroup.Shorter"/> leads to all
    /// others. Every prefix of the key is also a prefix of the last group that is not after the key, because that group
    /// stands between the two.
    /// </summary>
    /// <param name="key">The key, or at least its first <see cref="PrefixBytesMax"/> bytes.</param>
    /// <returns>Null if there is none.</returns>
    public WatchGroup? Find(ReadOnlySpan<byte> key)
    {
        int place = LastUpTo(key);
        WatchGroup? group = place < 0 ? null : sorted[place];
        while (group is not null && !key.StartsWith(group.Prefix))
            group = group.Shorter;
        return group;
    }

    public List<WatchGroup>.Enumerator GetEnumerator() => sorted.GetEnumerator();

    /// <returns>Place of the last group whose prefix is not after the key; -1 if there is none.</returns>
    private int LastUpTo(ReadOnlySpan<byte> key)
    {
        int low = 0;
        int high = sorted.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (sorted[middle].Prefix.AsSpan().SequenceCompareTo(key) <= 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }

    private void Link()
    {
        WatchGroup? before = null;
        PrefixBytesMax = 0;
        foreach (WatchGroup group in sorted)
        {
            WatchGroup? shorter = before;
            while (shorter is not null && !group.Prefix.AsSpan().StartsWith(shorter.Prefix))
                shorter = shorter.Shorter;
            group.Shorter = shorter;
            PrefixBytesMax = Math.Max(PrefixBytesMax, group.Prefix.Length);
            before = group;
        }
    }
}
