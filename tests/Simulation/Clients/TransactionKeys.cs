using System.Globalization;
using System.Text;
using RaftFast.Linearizability;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Clients;

/// <summary>
/// Keys on which transactions work. Only the clients of transactions write these keys. Each key is under one of two
/// prefixes.
/// </summary>
internal static class TransactionKeys
{
    public const int Count = 6;

    public const int Prefixes = 2;

    private const int ValueBytesMax = 64;

    private static readonly byte[][] Names =
        [.. Enumerable.Range(0, Count).Select(key => Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"/t/{PrefixOf(key)}/{key}")))];

    public static byte[] BytesOf(int key) => Names[key];

    public static int PrefixOf(int key) => key % Prefixes;

    public static byte[] BytesOfPrefix(int prefix) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/t/{prefix}/"));

    /// <summary>Bytes of a value. The value decides their number.</summary>
    public static byte[] BytesOfValue(int value)
    {
        byte[] bytes = new byte[sizeof(int) + (value % (ValueBytesMax - sizeof(int)))];
        bytes.AsSpan().Fill((byte)((value % 255) + 1));
        BitConverter.TryWriteBytes(bytes, value);
        return bytes;
    }

    /// <returns>State of a key as an answer tells it.</returns>
    public static KeyState StateOf(int key, long tag, ReadOnlySpan<byte> value) => tag == 0
        ? new KeyState(key, 0, RegisterValue.Absent)
        : new KeyState(key, tag, BitConverter.ToInt32(value));

    /// <summary>Records the final state of all keys in the history, as if a client had read the keys.</summary>
    public static void Record(KeyValueStore store, Cluster cluster)
    {
        cluster.TransactionExpiries.Advance();
        for (int key = 0; key < Count; key++)
        {
            int operation = cluster.Transactions.Invoke(new TransactionOperation(Client: -1));
            store.TryGet(BytesOf(key), out ReadOnlySpan<byte> value, out long tag);
            cluster.Transactions.Succeed(operation, 0, StateOf(key, tag, value));
        }
    }
}
