using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Scenarios;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Hash by which the stores of two servers are compared. It covers the keys that clients write, the log time, the next
/// expiry, and the outcomes of requests with idempotency keys.
/// </summary>
internal static class StoreContents
{
    /// <summary>Hash of each key's value, tag and time, of the rest of the state, and of the state's digest.</summary>
    public static ulong Hash(KeyValueStore store, Scenario scenario)
    {
        ulong hash = 14695981039346656037;
        for (int key = 0; key < scenario.Keys; key++)
            hash = HashOfKey(store, SimulatedClient.KeyBytes(key), hash);
        hash = HashOfKey(store, SimulatedClient.KeyBytes(KnownKeys.Counter), hash);
        for (int key = 0; key < TransactionKeys.Count && scenario.TransactionClients > 0; key++)
            hash = HashOfKey(store, TransactionKeys.BytesOf(key), hash);
        hash = Add(hash, store.Count);
        hash = Add(hash, store.LogTime);
        hash = Add(hash, store.NextExpiry);
        hash = Add(hash, store.OldestOutcome);
        hash = Add(hash, store.OutcomeBytes);
        return Add(Add(hash, (long)(ulong)(store.Digest >> 64)), (long)(ulong)store.Digest);
    }

    private static ulong HashOfKey(KeyValueStore store, byte[] name, ulong hash)
    {
        if (!store.TryGet(name, out ReadOnlySpan<byte> value, out long tag))
            return Add(hash, -1);
        hash = Add(Add(hash, tag), Crc32C.Compute(value));
        return store.NextExpiry == long.MaxValue ? hash : Add(hash, store.TimeOf(name) ?? -1);
    }

    private static ulong Add(ulong hash, long part) => (hash ^ (ulong)part) * 1099511628211;
}
