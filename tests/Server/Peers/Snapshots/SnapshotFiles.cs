using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Peers.Snapshots;

/// <summary>Snapshots of two MB, and the images in which they are sent.</summary>
internal static class SnapshotFiles
{
    public const long Term = 3;

    public const int Keys = 10;

    private const int ValueBytes = 200_000;

    /// <summary>The images of a snapshot: its header, a chunk for each key, its footer.</summary>
    public static List<byte[]> Take(SnapshotStore snapshots, long index = 20)
    {
        byte[] configuration = new SnapshotConfiguration(0, Dialling.Cluster([2], [9])).ToBytes();
        using SnapshotWriter writer = snapshots.TryCreate(
            new LogPosition(2, index), configuration, nonce: (ulong)index)!;
        for (int key = 0; key < Keys; key++)
        {
            int length = new SnapshotEntry([(byte)key], ValueOf(key), key + 1).Write(writer.Payload);
            Assert.True(writer.TryWriteChunk(length, entries: 1));
        }
        Assert.Equal(SnapshotPublishStatus.Published, writer.Complete());
        using SnapshotReader reader = snapshots.TryReadNewest()!;
        List<byte[]> images = [reader.Image.ToArray()];
        while (reader.Read() == SnapshotReadStatus.Chunk)
            images.Add(reader.Image.ToArray());
        images.Add(reader.Image.ToArray());
        Assert.Equal(Keys + 2, images.Count);
        return images;
    }

    /// <summary>The images as frames of a leader of this term.</summary>
    public static List<byte[]> Frames(SnapshotStore snapshots, long index = 20, long term = Term) =>
        Framed([.. Take(snapshots, index)], term);

    public static byte[] Frame(byte[] image, long term = Term, long fileBytes = 0)
    {
        Message message = new()
        {
            Type = MessageType.InstallSnapshot,
            Term = term,
            Context = fileBytes,
            Count = 1,
        };
        return Peers.Frames.Bytes(message, image);
    }

    private static List<byte[]> Framed(List<byte[]> images, long term)
    {
        long fileBytes = images.Sum(image => image.Length);
        return [.. images.Select(image => Frame(image, term, fileBytes))];
    }

    /// <summary>Installs the snapshot as the loop does.</summary>
    public static void Install(ReceivedSnapshot received)
    {
        Assert.Equal(1u, received.Configuration.Cluster.Members[0].Id);
        for (int key = 0; key < Keys; key++)
        {
            Assert.True(received.Store.TryGet([(byte)key], out ReadOnlySpan<byte> value, out long writtenAt));
            Assert.True(value.SequenceEqual(ValueOf(key)));
            Assert.Equal(key + 1, writtenAt);
        }
        received.Store.Dispose();
        received.Complete(isInstalled: true);
    }

    private static byte[] ValueOf(int key)
    {
        byte[] value = new byte[ValueBytes];
        new Random(key).NextBytes(value);
        return value;
    }
}
