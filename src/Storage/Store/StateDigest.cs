using System.Buffers.Binary;
using System.IO.Hashing;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Digest of a state: the sum, modulo 2^128, of a hash of each entry. A sum does not depend on the order of the
/// entries, so the digest is the same whether entries of the log or a snapshot led to the state. A change of an entry
/// costs a hash or two, and no memory. The digest guards against faults, not against clients that choose their values.
/// </summary>
internal struct StateDigest
{
    /// <summary>Odd, so multiplying by it loses nothing: 2^64 divided by the golden ratio.</summary>
    private const ulong Spread = 0x9E3779B97F4A7C15;

    private UInt128 sum;

    /// <summary>The entry has become part of the state.</summary>
    public void Add(Slot slot) => sum += HashOf(slot);

    /// <summary>The entry is about to be overwritten or deleted.</summary>
    public void Remove(Slot slot) => sum -= HashOf(slot);

    /// <returns>Digest of the state at this index of the log.</returns>
    public readonly UInt128 At(long index, long logTime)
    {
        Span<byte> state = stackalloc byte[32];
        BinaryPrimitives.WriteUInt128LittleEndian(state, sum);
        BinaryPrimitives.WriteInt64LittleEndian(state[16..], index);
        BinaryPrimitives.WriteInt64LittleEndian(state[24..], logTime);
        return XxHash128.HashToUInt128(state);
    }

    /// <returns>
    /// Hash of key, value, index and time. The entry of the log time has none: each member writes that entry when it
    /// begins a view.
    /// </returns>
    private static UInt128 HashOf(Slot slot)
    {
        if (StateKeys.IsClock(slot.Key))
            return 0;
        // Each step is reversible: two seeds differ if the entries differ in one of the three.
        ulong seed = Mix((ulong)slot.Index);
        seed = Mix(seed + (ulong)slot.KeyLength);
        seed = Mix(seed + (slot.HasTime ? (ulong)slot.Time + 1 : 0));
        return XxHash128.HashToUInt128(slot.KeyAndValue, (long)seed);
    }

    private static ulong Mix(ulong value)
    {
        value *= Spread;
        return value ^ (value >> 32);
    }
}
