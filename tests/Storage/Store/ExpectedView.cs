using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

/// <summary>A view and its expected entries. Each entry read is checked, and removed from the expected ones.</summary>
internal sealed class ExpectedView(StoreView view, Dictionary<string, (byte[] Value, long Index)> expected)
    : IDisposable
{
    private readonly byte[] chunk = new byte[StoreView.ChunkBytesMin];

    public int Chunks { get; private set; }

    public bool IsRead { get; private set; }

    public void ReadChunk()
    {
        int length = view.Read(chunk, out int entries);
        ReadOnlySpan<byte> rest = chunk.AsSpan(0, length);
        int decoded = 0;
        for (; !rest.IsEmpty; decoded++)
        {
            DecodeStatus status = SnapshotEntry.TryRead(rest, out SnapshotEntry entry, out int entryLength);
            Assert.Equal(DecodeStatus.Complete, status);
            Assert.True(expected.Remove(Encoding.Latin1.GetString(entry.Key), out (byte[] Value, long Index) written));
            Assert.True(entry.Value.SequenceEqual(written.Value));
            Assert.Equal(written.Index, entry.Index);
            rest = rest[entryLength..];
        }
        Assert.Equal(entries, decoded);
        if (length == 0)
        {
            Assert.Empty(expected);
            IsRead = true;
        }
        else
        {
            Chunks++;
        }
    }

    public void ReadAll()
    {
        while (!IsRead)
            ReadChunk();
    }

    public void Dispose() => view.Dispose();
}
