using RaftFast.Protocol;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Tests.Snapshots;

/// <summary>Takes and reads snapshots whose contents follow from their index.</summary>
internal static class SnapshotScript
{
    public const ulong Cluster = 0xC1;

    public static readonly int[] PayloadLengths =
        [1, 5000, 100_000, 4096 - SnapshotChunk.HeaderSize, SnapshotChunk.PayloadBytesMax, 777];

    public static byte[] ConfigurationOf(long index) => Bytes((int)index % 50, (int)index);

    /// <returns>False if the disk is full.</returns>
    public static bool Take(SnapshotStore store, long index, int[]? lengths = null)
    {
        LogPosition position = new(2, index);
        using SnapshotWriter? writer = store.TryCreate(position, ConfigurationOf(index), (ulong)index * 7);
        if (writer is null)
            return false;
        lengths ??= PayloadLengths;
        for (int i = 0; i < lengths.Length; i++)
        {
            Bytes(lengths[i], (int)index + i).CopyTo(writer.Payload);
            if (!writer.TryWriteChunk(lengths[i], i))
                return false;
        }
        return writer.Complete() == SnapshotPublishStatus.Published;
    }

    /// <summary>Reads a snapshot to its end and compares it with what <see cref="Take"/> wrote.</summary>
    /// <returns>Damage of the snapshot; null if it is intact.</returns>
    public static string? Read(SnapshotStore store, SnapshotFile file, int[]? lengths = null)
    {
        using SnapshotReader reader = store.Read(file);
        lengths ??= PayloadLengths;
        int chunks = 0;
        SnapshotReadStatus status;
        while ((status = reader.Read()) == SnapshotReadStatus.Chunk)
        {
            Assert.Equal(chunks + 1, reader.Chunk.Sequence);
            Assert.Equal(chunks, reader.Chunk.Entries);
            Assert.True(reader.Payload.SequenceEqual(Bytes(lengths[chunks], (int)file.Index + chunks)));
            chunks++;
        }
        if (status == SnapshotReadStatus.End)
        {
            Assert.Null(reader.Damage);
            Assert.Equal(lengths.Length, chunks);
            Assert.Equal(new LogPosition(2, file.Index), reader.Position);
            Assert.True(reader.Configuration.SequenceEqual(ConfigurationOf(file.Index)));
        }
        else
        {
            Assert.NotNull(reader.Damage);
            Assert.DoesNotContain('\n', reader.Damage);
            Assert.Contains($"{file.Name} is damaged at byte ", reader.Damage, StringComparison.Ordinal);
        }
        return reader.Damage;
    }

    /// <summary>Parts of a snapshot in the order in which they are sent: header, chunks, footer.</summary>
    public static List<byte[]> Images(SnapshotStore store, SnapshotFile file)
    {
        using SnapshotReader reader = store.Read(file);
        List<byte[]> images = [reader.Image.ToArray()];
        while (reader.Read() == SnapshotReadStatus.Chunk)
            images.Add(reader.Image.ToArray());
        Assert.Null(reader.Damage);
        images.Add(reader.Image.ToArray());
        return images;
    }

    private static byte[] Bytes(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
