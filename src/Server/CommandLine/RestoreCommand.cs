using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Logging;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.CommandLine;

/// <summary>
/// <c>raftfast restore</c>: makes the directory of one member of a new cluster from a backup. Each member restores the
/// same file with the same addresses. So all members begin with the same state, at the same log position, under the
/// same new cluster id. The id depends on the backup, the addresses and the position. The position is <c>--bump</c>
/// entries after the backup's: the old cluster may have written more after the backup, and none of its indices may come
/// again. Each key keeps the index of its last write.
/// </summary>
internal static class RestoreCommand
{
    /// <summary>
    /// Least number of indices that a restore skips. The old cluster needs 12 hours at 100,000 writes a second to write
    /// as many entries after the backup.
    /// </summary>
    public const long BumpMin = 1L << 32;

    /// <summary>
    /// Greatest number of indices that a restore skips: a sixteenth of all indices, which leaves room for later
    /// entries.
    /// </summary>
    public const long BumpMax = LogPosition.Greatest / 16;

    /// <summary>Value of --input for a backup from a pipe.</summary>
    private const string StandardInput = "-";

    public static Command Create(Option<ulong> id, Option<List<PeerAddress>> cluster, Option<string> dataDirectory)
    {
        Option<string> input = FileOption.Create(
            "--input",
            "The file that 'raftfast backup' or GET /v1/backup wrote, or a member's snapshot; - reads standard input.");
        Option<long> bump = new("--bump")
        {
            HelpName = "N",
            Description =
                "Number of log indices to skip, the same on every member. No index that the old cluster gave an entry "
                + "comes again, unless the old cluster wrote more than N entries after the backup.",
            DefaultValueFactory = _ => BumpMin,
            Arity = ArgumentArity.ZeroOrMore,
            CustomParser = FlagValues.Bump,
        };
        Command command = new(
            "restore",
            "Make the data directory of one member of a new cluster from a backup. Run it for each member, with the "
            + "same file, the same --cluster and the member's own --id. Then start the members with the same flags. "
            + "Don't run the old cluster again where clients could take it for the new cluster.")
        {
            input, id, cluster, dataDirectory, bump,
        };
        command.SetAction(flags => Run(
            flags.GetValue(input), flags.GetValue(id), flags.GetValue(cluster)!, flags.GetValue(dataDirectory),
            flags.GetValue(bump),
            flags.InvocationConfiguration.Output, flags.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(
        string? input, ulong id, List<PeerAddress> addresses, string? path, long bump, TextWriter console,
        TextWriter error)
    {
        string? mistake = input is null ? "restore needs --input FILE" : ServerCommandLine.IdMistake(id, addresses);
        if (mistake is not null)
        {
            error.WriteLine($"raftfast: {mistake}");
            return ExitCode.Usage;
        }
        path ??= string.Create(CultureInfo.InvariantCulture, $"raftfast-{id}");
        using LogFactory loggers = new(LineWriter.StandardError, LogLevel.Information);
        ILogger log = loggers.CreateLogger("restore");
        if (input != StandardInput)
            return Restore(input!, id, addresses, path, bump, console, log);
        using StreamedBackup streamed = StreamedBackup.Receive(Console.OpenStandardInput(), path);
        return Restore(streamed.Path, id, addresses, path, bump, console, log);
    }

    private static int Restore(
        string input, ulong id, List<PeerAddress> addresses, string path, long bump, TextWriter console, ILogger log)
    {
        // The call verifies all of the backup before the directory is touched.
        ulong clusterId = ClusterIdOf(input, addresses, bump, log, out LogPosition position);
        ClusterConfiguration cluster = new(clusterId, [.. ClusterConfiguration.Bootstrap(addresses).Members]);
        ulong directory = (ulong)Random.Shared.NextInt64(1, long.MaxValue);
        NodeIdentity identity = new(id, addresses[(int)id - 1], directory, cluster);
        using DirectoryRestore restore = DirectoryRestore.Begin(path, identity);
        using SnapshotReader backup = BackupFile.Read(input);
        CopySnapshot(backup, restore.Disk, position, cluster, log);
        Wal.Create(restore.Disk, clusterId, id, new WalOptions(), position);
        restore.Complete();
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{path}: member {id} of cluster {clusterId:x16}, {backup.Entries} keys, "
            + $"up to entry {backup.Position.Index} of term {backup.Position.Term}; "
            + $"the next entry is {position.Index + 1}"));
        return ExitCode.Success;
    }

    /// <summary>
    /// Derives the cluster id from the contents of the backup, its nonce included, from the members' addresses, and
    /// from the position after which the log begins.
    /// </summary>
    /// <exception cref="StorageException">The backup can't be used.</exception>
    private static ulong ClusterIdOf(
        string input, List<PeerAddress> addresses, long bump, ILogger log, out LogPosition position)
    {
        using SnapshotReader backup = BackupFile.Read(input);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Header and footer stand for the whole file: the footer holds a checksum of all chunks' checksums.
        hash.AppendData(backup.Image);
        ProgressLine progress = new($"verifying {input}", TimeProvider.System);
        SnapshotReadStatus status;
        while ((status = backup.Read()) == SnapshotReadStatus.Chunk)
            progress.Write(log, backup.End, backup.FileBytes);
        if (status == SnapshotReadStatus.Damaged)
            throw new StorageException(backup.Damage!);
        // The first entry after the restore has a term greater than the backup's, as after any election (§5.2).
        position = backup.Position with { Index = backup.Position.Index + bump };
        if (position.Index > LogPosition.Greatest - BumpMax)
        {
            throw new StorageException(
                $"{input} is up to entry {backup.Position.Index}, and {bump} more leave no room for new entries; "
                + "give a smaller --bump");
        }
        hash.AppendData(backup.Image);
        hash.AppendData(Encoding.UTF8.GetBytes($"{string.Join(',', addresses)} {position.Index}"));
        return BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }

    private static void CopySnapshot(
        SnapshotReader backup, IDisk disk, LogPosition position, ClusterConfiguration cluster, ILogger log)
    {
        byte[] configuration = new SnapshotConfiguration(0, cluster).ToBytes();
        SnapshotStore snapshots = SnapshotStore.Open(disk, cluster.ClusterId);
        using SnapshotWriter writer = snapshots.TryCreate(position, configuration, backup.Nonce, backup.Version)
            ?? throw DiskFull();
        ProgressLine progress = new("writing the data directory", TimeProvider.System);
        SnapshotReadStatus status;
        while ((status = backup.Read()) == SnapshotReadStatus.Chunk)
        {
            progress.Write(log, backup.End, backup.FileBytes);
            backup.Payload.CopyTo(writer.Payload);
            if (!writer.TryWriteChunk(backup.Payload.Length, backup.Chunk.Entries))
                throw DiskFull();
        }
        if (status == SnapshotReadStatus.Damaged)
            throw new StorageException(backup.Damage!);
        if (writer.Complete() != SnapshotPublishStatus.Published)
            throw DiskFull();
    }

    private static StorageException DiskFull() =>
        new("the disk has no room for the contents of the backup; free some space, then run raftfast restore again");
}
