using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Invariants;

/// <summary>Compares the stores of two servers by the keys that clients write.</summary>
internal static class StoreContents
{
    /// <summary>Hash of each key's value and of the index of its last write.</summary>
    public static ulong Hash(KeyValueStore store, int keys)
    {
        ulong hash = 14695981039346656037;
        for (int key = 0; key < keys; key++)
        {
            bool exists = store.TryGet(SimulatedClient.KeyBytes(key), out ReadOnlySpan<byte> value, out long index);
            hash = (hash ^ (ulong)(exists ? index : -1)) * 1099511628211;
            hash = (hash ^ Crc32C.Compute(value)) * 1099511628211;
        }
        return hash;
    }

    public static bool AreEqual(KeyValueStore first, KeyValueStore second, int keys)
    {
        for (int key = 0; key < keys; key++)
        {
            byte[] name = SimulatedClient.KeyBytes(key);
            bool isInFirst = first.TryGet(name, out ReadOnlySpan<byte> value, out long index);
            bool isInSecond = second.TryGet(name, out ReadOnlySpan<byte> otherValue, out long otherIndex);
            if (isInFirst != isInSecond || index != otherIndex || !value.SequenceEqual(otherValue))
                return false;
        }
        return true;
    }
}
