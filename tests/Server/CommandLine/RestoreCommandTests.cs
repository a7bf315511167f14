using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Protocol;
using RaftFast.Server.CommandLine;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Recovery;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.Server.Tests.CommandLine;

/// <summary>A restore gives no log index of the old cluster to other content.</summary>
public sealed class RestoreCommandTests : IDisposable
{
    private const long Skipped = 1L << 32;

    /// <summary>Index of the last write of the only key.</summary>
    private const long WrittenAt = 7;

    private static readonly LogPosition Last = new(3, 10);

    private readonly TemporaryDirectory temporary = new();

    [Fact]
    public void Log_begins_after_the_skipped_indices_and_the_key_keeps_its_index()
    {
        WriteBackup(Last);
        string line = Restore("new");
        Assert.Contains(
            "1 keys, up to entry 10 of term 3; the next entry is 4294967307", line, StringComparison.Ordinal);

        LogPosition position = new(Last.Term, Last.Index + Skipped);
        using (DataDirectory directory = Open("new"))
        {
            AssertHolds(directory, position);
            using Wal wal = OpenLog(directory, position, out WalRecovery recovery);
            Assert.Equal((position, position), (recovery.Base, recovery.Last));
            Assert.False(recovery.WasReset);
            Append(wal, new LogPosition(4, position.Index + 1));
        }
        using (DataDirectory directory = Open("new"))
        {
            AssertHolds(directory, position);
            using Wal wal = OpenLog(directory, position, out WalRecovery recovery);
            Assert.Equal(new LogPosition(4, position.Index + 1), recovery.Last);
        }
        string report = Run("inspect", "--data-dir", temporary.PathOf("new"));
        Assert.Contains("log-first-index: 4294967307\nlog-last-index: 4294967307\n", report, StringComparison.Ordinal);
        Assert.Contains(", entry 4294967306 of term 3, 1 keys, ", report, StringComparison.Ordinal);
        Assert.EndsWith("sound: yes\n", report, StringComparison.Ordinal);
    }

    [Fact]
    public void Backup_of_a_restored_member_is_restored_beyond_it_again()
    {
        WriteBackup(Last);
        Restore("new");
        string again = temporary.PathOf("again");
        Run("backup", "--data-dir", temporary.PathOf("new"), "--output", again);
        Run("restore", "--input", again, "--data-dir", temporary.PathOf("newer"));
        using DataDirectory directory = Open("newer");
        AssertHolds(directory, new LogPosition(Last.Term, Last.Index + (2 * Skipped)));
    }

    [Fact] // members with different logs must not meet
    public void Another_bump_makes_another_cluster()
    {
        WriteBackup(Last);
        Restore("new");
        Restore("same");
        Restore("other", "--bump", "4294967297");
        Assert.Equal(ClusterIdOf("new"), ClusterIdOf("same"));
        Assert.NotEqual(ClusterIdOf("new"), ClusterIdOf("other"));
        using DataDirectory directory = Open("other");
        AssertHolds(directory, new LogPosition(Last.Term, Last.Index + Skipped + 1));
    }

    [Fact]
    public void Position_without_room_for_new_entries_is_refused()
    {
        WriteBackup(new LogPosition(3, LogPosition.Greatest - RestoreCommand.BumpMax - Skipped + 1));
        StorageException refusal = Assert.Throws<StorageException>(() => Restore("new"));
        Assert.Contains("give a smaller --bump", refusal.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(temporary.PathOf("new")));
    }

    public void Dispose() => temporary.Dispose();

    private static void AssertHolds(DataDirectory directory, LogPosition position)
    {
        SnapshotStore snapshots = SnapshotStore.Open(directory.Disk, ClusterIdOf(directory));
        RecoveredState recovered = RecoveredState.Load(
            snapshots, new StartProgress(TimeProvider.System), NullLogger.Instance);
        using KeyValueStore store = recovered.Store;
        Assert.Equal((position, position.Index), (recovered.Position, store.AppliedIndex));
        Assert.True(store.TryGet("key"u8, out ReadOnlySpan<byte> value, out long index));
        Assert.Equal("value"u8, value);
        Assert.Equal(WrittenAt, index);
    }

    private static Wal OpenLog(DataDirectory directory, LogPosition snapshot, out WalRecovery recovery) =>
        Wal.Open(directory.Disk, ClusterIdOf(directory), 1, new WalOptions(), snapshot, out recovery);

    private static void Append(Wal wal, LogPosition position)
    {
        wal.AppendHardState(new HardState(position.Term, 1));
        byte[] record = new byte[Record.HeaderSize];
        Record.Finish(record, RecordType.NoOp, 0);
        Record.Stamp(record, position);
        wal.Append(record, new RecordHeader(RecordType.NoOp, position, 0, 0));
        Assert.True(wal.TryPublish(out _));
        Assert.True(wal.Writer.TryTake(out WalBatch batch));
        wal.Writer.Write(batch);
        wal.Completed(batch);
    }

    private static ulong ClusterIdOf(DataDirectory directory) =>
        directory.ReadIdentity()!.Configuration.ClusterId;

    private ulong ClusterIdOf(string name)
    {
        using DataDirectory directory = Open(name);
        return ClusterIdOf(directory);
    }

    private DataDirectory Open(string name) => DataDirectory.Open(temporary.PathOf(name), DiskWriteMode.Direct);

    private void WriteBackup(LogPosition position)
    {
        ClusterConfiguration cluster = new(5, [new Member(1, new PeerAddress("127.0.0.1", 1))]);
        using SnapshotWriter writer = BackupFile.TryCreate(
            temporary.PathOf("backup"), 5, position, new SnapshotConfiguration(0, cluster).ToBytes(), 9)!;
        int length = new SnapshotEntry("key"u8, "value"u8, WrittenAt).Write(writer.Payload);
        Assert.True(writer.TryWriteChunk(length, 1));
        Assert.Equal(SnapshotPublishStatus.Published, writer.Complete());
    }

    private string Restore(string name, params string[] flags) =>
        Run(["restore", "--input", temporary.PathOf("backup"), "--data-dir", temporary.PathOf(name), .. flags]);

    private static string Run(params string[] arguments)
    {
        using StringWriter output = new(CultureInfo.InvariantCulture);
        using StringWriter error = new(CultureInfo.InvariantCulture);
        Assert.Null(ServerCommandLine.Parse(arguments, output, error, out int exitCode));
        Assert.Equal((0, ""), (exitCode, error.ToString()));
        return output.ToString();
    }
}
