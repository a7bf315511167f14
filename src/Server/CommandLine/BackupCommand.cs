using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Logging;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Recovery;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.CommandLine;

/// <summary>
/// <c>raftfast backup</c>: writes the state of a stopped member to one file. Only the entries up to the snapshot are
/// known to be committed. The backup also covers all of the log after the snapshot: if this member were elected now,
/// the cluster's state would cover the same entries. So the backup has every acknowledged write that this member holds,
/// and perhaps writes whose outcome no client was told. The member with the most up-to-date log of a majority (§5.4.1)
/// holds every acknowledged write.
/// </summary>
internal static class BackupCommand
{
    private const int ReadBytes = 1 << 20;

    public static Command Create(Option<string> dataDirectory)
    {
        Option<string> output = FileOption.Create(
            "--output", "The file to write. An existing file is not overwritten.");
        Command command = new(
            "backup",
            "Write the state of a stopped member into one file: its snapshot, and all of its log after the snapshot. "
            + "The file has every acknowledged write that this member holds, and perhaps some that were not "
            + "acknowledged. To back up a cluster, stop all members. Take the member for which 'raftfast inspect' "
            + "shows the greatest log-last-term, and among equals the greatest log-last-index: it holds every "
            + "acknowledged write.")
        {
            dataDirectory, output,
        };
        command.SetAction(flags => Run(
            flags.GetValue(dataDirectory) ?? "raftfast-1", flags.GetValue(output),
            flags.InvocationConfiguration.Output, flags.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(string path, string? output, TextWriter console, TextWriter error)
    {
        if (output is null)
        {
            error.WriteLine("raftfast: backup needs --output FILE");
            return ExitCode.Usage;
        }
        using LogFactory loggers = new(LineWriter.StandardError, LogLevel.Information);
        using DataDirectory directory = DataDirectory.OpenReadOnly(path);
        NodeIdentity identity = directory.ReadIdentity()!;
        ulong clusterId = identity.Configuration.ClusterId;
        SnapshotStore snapshots = SnapshotStore.OpenReadOnly(directory.Disk, clusterId);
        ILogger log = loggers.CreateLogger("backup");
        RecoveredState recovered = RecoveredState.Load(snapshots, new StartProgress(TimeProvider.System), log);
        using KeyValueStore store = recovered.Store;
        using StoppedWal wal = StoppedWal.Read(
            directory.Disk, clusterId, identity.MemberId, recovered.Position);
        if (wal.Damage is { } damage)
            throw new StorageException(damage);
        LogPosition last = ApplyLog(store, wal, recovered.Position);
        if (last == default)
            throw new StorageException($"{directory.Path} holds no entries; there is nothing to back up");
        // The configuration is only information for operators: a restore names other members.
        SnapshotConfiguration configuration = recovered.Configuration
            ?? new SnapshotConfiguration(0, identity.Configuration);
        foreach ((long index, ClusterConfiguration cluster) in wal.Configurations)
        {
            if (index > configuration.Index && index <= last.Index)
                configuration = new SnapshotConfiguration(index, cluster);
        }
        ulong nonce = (ulong)Random.Shared.NextInt64();
        using StoreView view = store.BeginView();
        using SnapshotWriter writer =
            BackupFile.TryCreate(output, clusterId, last, configuration.ToBytes(), nonce, view.Version)
            ?? throw DiskFull(output);
        ProgressLine progress = new($"writing {output}", TimeProvider.System);
        long written = 0;
        int length;
        while ((length = view.Read(writer.Payload, out int entries)) > 0)
        {
            if (!writer.TryWriteChunk(length, entries))
                throw DiskFull(output);
            progress.Write(log, written += entries, view.Count);
        }
        directory.VerifyLock();
        if (writer.Complete() != SnapshotPublishStatus.Published)
            throw DiskFull(output);
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{output}: {store.Count} keys, {writer.Bytes} bytes, "
            + $"up to entry {last.Index} of term {last.Term} of cluster {clusterId:x16}"));
        return ExitCode.Success;
    }

    /// <returns>Position of the last entry that the store covers.</returns>
    /// <exception cref="StorageException">Entries between snapshot and log are missing, or an entry is
    /// damaged.</exception>
    private static LogPosition ApplyLog(KeyValueStore store, StoppedWal wal, LogPosition snapshot)
    {
        if (!wal.ContinuesFrom(snapshot))
            return snapshot;
        for (long index = snapshot.Index + 1; index <= wal.Last.Index;)
        {
            ReadOnlySpan<byte> records = wal.Read(index, wal.Last.Index, ReadBytes, out int count);
            for (; count > 0; count--, index++)
            {
                DecodeStatus status = Record.TryReadHeader(records, out RecordHeader header);
                Invariant.Hold(status == DecodeStatus.Complete);
                store.Apply(header, records[..header.RecordLength]);
                records = records[header.RecordLength..];
            }
        }
        return wal.Last;
    }

    private static StorageException DiskFull(string output) =>
        new($"the disk has no room for {output}, which was deleted; free some space, then run raftfast backup again");
}
