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
/// <c>raftfast backup</c>: the state of a stopped member as one file. What is committed is known up to the snapshot only; the backup has
/// all of the log behind it too, as the cluster would if this member were elected now. So it has every acknowledged write that this
/// member holds, and perhaps writes whose outcome nobody was told. The member with the last log of a majority holds every acknowledged one.
/// </summary>
internal static class BackupCommand
{
    private const int ReadBytes = 1 << 20;

    public static Command Create(Option<string> dataDirectory)
    {
        Option<string> output = FileOption.Create("--output", "The file to write. One that is there is not overwritten.");
        Command command = new(
            "backup",
            "Write the state of a stopped member into one file: its snapshot, and all of its log behind it. That has every acknowledged write which this member holds, and perhaps some that were not acknowledged. Of a cluster, stop all members and take the one whose 'raftfast inspect' shows the greatest log-last-term, then the greatest log-last-index: it holds every acknowledged write.")
        {
            dataDirectory, output,
        };
        command.SetAction(flags => Run(
            flags.GetValue(dataDirectory) ?? "raftfast-1", flags.GetValue(output), flags.InvocationConfiguration.Output, flags.InvocationConfiguration.Error));
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
        RecoveredState recovered = RecoveredState.Load(SnapshotStore.OpenReadOnly(directory.Disk, clusterId), loggers.CreateLogger("backup"));
        using KeyValueStore store = recovered.Store;
        using StoppedWal wal = StoppedWal.Read(directory.Disk, clusterId, identity.MemberId);
        if (wal.Damage is { } damage)
            throw new StorageException(damage);
        LogPosition last = ApplyLog(store, wal, recovered.Position);
        if (last == default)
            throw new StorageException($"{directory.Path} holds no entry: there is nothing to back up");
        // Who the members were is for people: a restore has others.
        SnapshotConfiguration configuration = recovered.Configuration ?? new SnapshotConfiguration(0, identity.Configuration);
        foreach ((long index, ClusterConfiguration cluster) in wal.Configurations)
        {
            if (index > configuration.Index && index <= last.Index)
                configuration = new SnapshotConfiguration(index, cluster);
        }
        using SnapshotWriter writer = BackupFile.TryCreate(output, clusterId, last, configuration.ToBytes(), (ulong)Random.Shared.NextInt64())
            ?? throw DiskFull(output);
        using StoreView view = store.BeginView();
        for (int length = view.Read(writer.Payload, out int entries); length > 0; length = view.Read(writer.Payload, out entries))
        {
            if (!writer.TryWriteChunk(length, entries))
                throw DiskFull(output);
        }
        if (writer.Complete() != SnapshotPublishStatus.Published)
            throw DiskFull(output);
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{output}: {writer.Entries} keys, {writer.Bytes} bytes, up to entry {last.Index} of term {last.Term} of cluster {clusterId:x16}"));
        return ExitCode.Success;
    }

    /// <returns>The last entry that the store covers.</returns>
    /// <exception cref="StorageException">Entries between snapshot and log are missing, or one is damaged.</exception>
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

    private static StorageException DiskFull(string output) => new($"the disk has no room for {output}: nothing is left of it; free some space");
}
