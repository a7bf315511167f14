using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// The counter that all clients increment by compare-and-set. It counts each success once, and each increment with an
/// unknown outcome at most once. An increment that is repeated under its idempotency key is one increment.
/// </summary>
internal sealed class CounterKey
{
    public long Succeeded { get; set; }

    public long Unknown { get; set; }

    public void Judge(KeyValueStore store)
    {
        byte[] key = SimulatedClient.KeyBytes(KnownKeys.Counter);
        long count = store.TryGet(key, out ReadOnlySpan<byte> value, out _) ? SimulatedClient.CountIn(value) : 0;
        if (count < Succeeded || count > Succeeded + Unknown)
        {
            throw new InvariantException(
                $"the counter is at {count} after {Succeeded} increments, and {Unknown} with unknown outcomes");
        }
    }
}
