using RaftFast.Protocol;
using RaftFast.Server.Recovery;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Faults;

/// <summary>Changes one bit of a recovered state.</summary>
internal static class SpoiltState
{
    /// <summary>
    /// Bit that is changed in a key's last byte. No client uses the resulting key, so no write undoes the change.
    /// </summary>
    private const byte KeyBit = 1 << 6;

    /// <returns>
    /// The state with one bit of a client's key or value changed; the same state if there are no keys.
    /// </returns>
    public static RecoveredState Of(RecoveredState recovered, SeededRandom random, out bool isChanged)
    {
        KeyValueStore spoilt = new();
        byte[] chunk = new byte[StoreView.ChunkBytesMin];
        isChanged = false;
        using (StoreView view = recovered.Store.BeginView())
        {
            for (int length = view.Read(chunk, out _); length > 0; length = view.Read(chunk, out _))
            {
                isChanged = isChanged || TryChange(recovered.Store, chunk.AsSpan(0, length), random);
                Invariant.Hold(spoilt.TryLoad(chunk.AsSpan(0, length)));
            }
            spoilt.LoadedTo(view.AppliedIndex);
        }
        recovered.Store.Dispose();
        return new RecoveredState(spoilt, recovered.Position, recovered.Configuration);
    }

    private static bool TryChange(KeyValueStore store, Span<byte> entries, SeededRandom random)
    {
        bool changesValue = random.OneIn(4);
        List<int> places = [];
        int at = 0;
        while (SnapshotEntry.TryRead(entries[at..], out SnapshotEntry entry, out int length) == DecodeStatus.Complete)
        {
            // A client's key is a request target, and begins with a slash.
            ReadOnlySpan<byte> part = changesValue ? entry.Value : entry.Key[^1..];
            if (entry.Key[0] == '/' && part.Length > 0 && (changesValue || IsFree(store, entry.Key)))
            {
                ((ReadOnlySpan<byte>)entries).Overlaps(part, out int place);
                places.Add(place + random.Next(part.Length));
            }
            at += length;
        }
        if (places.Count > 0)
            entries[places[random.Next(places.Count)]] ^= changesValue ? (byte)(1 << random.Next(8)) : KeyBit;
        return places.Count > 0;
    }

    /// <summary>
    /// False if the store holds the changed key already, as after an earlier change: the key would be loaded twice.
    /// </summary>
    private static bool IsFree(KeyValueStore store, ReadOnlySpan<byte> key)
    {
        byte[] changed = key.ToArray();
        changed[^1] ^= KeyBit;
        return !store.TryGet(changed, out _, out _);
    }
}
