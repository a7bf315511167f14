using RaftFast.Protocol;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// Spoils the state of a stopped member: changes one bit of its newest snapshot, as if memory had failed before the
/// snapshot was taken. All checksums are right.
/// </summary>
internal static class SpoiltSnapshot
{
    /// <param name="contents">Bytes that stand in the snapshot once, the first of which is changed.</param>
    public static void Write(string dataDirectory, ReadOnlySpan<byte> contents)
    {
        using TemporaryDirectory copies = new();
        string name;
        using (DataDirectory directory = DataDirectory.Open(dataDirectory, DiskWriteMode.Buffered))
        {
            ulong clusterId = directory.ReadIdentity()!.Configuration.ClusterId;
            SnapshotStore from = SnapshotStore.Open(directory.Disk, clusterId);
            SnapshotStore to = SnapshotStore.Open(new FileDisk(copies.Location, DiskWriteMode.Buffered), clusterId);
            name = from.Files[0].Name;
            Copy(from.Read(from.Files[0]), to, contents);
        }
        File.Copy(copies.PathOf(name), Path.Combine(dataDirectory, name), overwrite: true);
    }

    private static void Copy(SnapshotReader reader, SnapshotStore to, ReadOnlySpan<byte> contents)
    {
        int changed = 0;
        using (reader)
        using (SnapshotWriter writer =
            to.TryCreate(reader.Position, reader.Configuration, reader.Nonce, reader.Version)!)
        {
            while (reader.Read() == SnapshotReadStatus.Chunk)
            {
                reader.Payload.CopyTo(writer.Payload);
                int at = writer.Payload[..reader.Payload.Length].IndexOf(contents);
                if (at >= 0)
                {
                    writer.Payload[at] ^= 1;
                    changed++;
                }
                Assert.True(writer.TryWriteChunk(reader.Payload.Length, reader.Chunk.Entries));
            }
            Assert.Equal(SnapshotPublishStatus.Published, writer.Complete());
        }
        Assert.Equal(1, changed);
    }
}
