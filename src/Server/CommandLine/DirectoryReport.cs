using System.Globalization;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.CommandLine;

/// <summary>Report on a data directory in lines of <c>key: value</c>, for operators and scripts.</summary>
internal sealed class DirectoryReport(DataDirectory directory, TextWriter output)
{
    private readonly List<string> damage = [];

    /// <returns>True if the directory is sound.</returns>
    /// <exception cref="StorageException">The directory can't be read, or its identity is damaged.</exception>
    public bool Write()
    {
        NodeIdentity identity = directory.ReadIdentity()!;
        ulong clusterId = identity.Configuration.ClusterId;
        Line($"directory: {directory.Path}");
        Line($"member: {identity.MemberId}");
        Line($"cluster: {clusterId:x16}");
        Line($"directory-number: {identity.Directory:x16}");
        Line($"listens: {identity.Address}");
        const uint LogFormat = StoppedWal.FormatVersion;
        const uint SnapshotFormat = SnapshotStore.FormatVersion;
        Line($"formats: identity {IdentityFile.FormatVersion}, log {LogFormat}, snapshot {SnapshotFormat}");
        SnapshotReader? newest = WriteSnapshots(SnapshotStore.OpenReadOnly(directory.Disk, clusterId));
        using StoppedWal wal = StoppedWal.Read(
            directory.Disk, clusterId, identity.MemberId, newest?.Position ?? default);
        WriteLog(wal);
        WriteMembers(identity, wal, newest);
        CheckTogether(wal, newest?.Position ?? default);
        newest?.Dispose();
        WriteOthers();
        foreach (string flaw in damage)
            Line($"damage: {flaw}");
        Line($"sound: {(damage.Count == 0 ? "yes" : "no")}");
        return damage.Count == 0;
    }

    private void WriteLog(StoppedWal wal)
    {
        Line($"term: {wal.HardState.Term}");
        ulong vote = wal.HardState.Vote;
        Line($"vote: {(vote == 0 ? "none" : vote.ToString(CultureInfo.InvariantCulture))}");
        Line($"log-first-index: {wal.Base.Index + 1}");
        Line($"log-last-index: {wal.Last.Index}");
        Line($"log-last-term: {wal.Last.Term}");
        Line($"log-bytes: {wal.Bytes}");
        foreach (WalSegmentFile file in wal.Files)
        {
            string entries = file.FirstIndex == 0 ? "no part of the log"
                : file.FirstIndex > file.LastIndex ? $"no entries, after entry {file.LastIndex}"
                : $"entries {file.FirstIndex} to {file.LastIndex}";
            Line($"segment: {file.Name}, {file.Bytes} bytes, {entries}");
        }
        if (wal.TornTail is { } tail && wal.Damage is null)
            Line($"torn-tail: {tail}; the file itself is cut at the next start");
        if (wal.CoveredDamage is { } covered)
            damage.Add($"{covered}; the newest snapshot covers these entries, so a start continues without them");
        if (wal.Damage is { } flaw)
            damage.Add(flaw);
    }

    /// <returns>Reader of the newest intact snapshot, at its end; null if there is none.</returns>
    private SnapshotReader? WriteSnapshots(SnapshotStore snapshots)
    {
        SnapshotReader? newest = null;
        foreach (SnapshotFile file in snapshots.Files)
        {
            SnapshotReader reader = snapshots.Read(file);
            while (reader.Read() == SnapshotReadStatus.Chunk)
            {
            }
            if (reader.Damage is { } flaw)
            {
                Line($"snapshot: {file.Name}, damaged");
                damage.Add(flaw);
                reader.Dispose();
                continue;
            }
            (long term, long index) = reader.Position;
            Line($"snapshot: {file.Name}, entry {index} of term {term}, {reader.Entries} keys, {reader.End} bytes");
            if (newest is null)
                newest = reader;
            else
                reader.Dispose();
        }
        return newest;
    }

    private void WriteMembers(NodeIdentity identity, StoppedWal wal, SnapshotReader? snapshot)
    {
        SnapshotConfiguration configuration = new(0, identity.Configuration);
        if (snapshot is not null)
        {
            if (SnapshotConfiguration.TryRead(snapshot.Configuration) is { } covered)
                configuration = covered;
            else
                damage.Add($"the snapshot up to entry {snapshot.Position.Index} holds no configuration of a cluster");
        }
        foreach ((long index, ClusterConfiguration cluster) in wal.Configurations)
        {
            if (index > configuration.Index)
                configuration = new SnapshotConfiguration(index, cluster);
        }
        Line($"configuration: entry {configuration.Index}{(configuration.Cluster.IsJoint ? ", joint" : "")}");
        foreach (Member member in configuration.Cluster.Members)
        {
            string outgoing = member.IsOutgoingVoter ? ", votes in the outgoing half" : "";
            Line($"cluster-member: {member.Id}, {Name(member.Role)}, {member.Address}{outgoing}");
        }
        foreach (ulong id in configuration.Cluster.RemovedIds)
            Line($"removed-member: {id}");
    }

    private void CheckTogether(StoppedWal wal, LogPosition snapshot)
    {
        if (wal.Damage is not null)
            return;
        try
        {
            if (!wal.ContinuesFrom(snapshot))
                Line($"log-state: does not match the snapshot up to entry {snapshot.Index}: the next start empties it");
        }
        catch (StorageException error)
        {
            damage.Add(error.Message);
        }
    }

    private void WriteOthers()
    {
        try
        {
            MetDirectories met = MetDirectories.Open(directory.Disk);
            foreach (ulong id in met.Members)
                Line($"met-member: {id}");
        }
        catch (StorageException error)
        {
            damage.Add(error.Message);
        }
        foreach (string name in directory.Disk.List())
        {
            bool isSetAside = name.EndsWith(".damaged", StringComparison.Ordinal);
            if (!isSetAside && !name.EndsWith(".tmp", StringComparison.Ordinal))
                continue;
            using IDiskFile file = directory.Disk.Open(name);
            Line($"{(isSetAside ? "set-aside" : "temporary")}: {name}, {file.Length} bytes");
        }
    }

    private static string Name(MemberRole role) => role switch
    {
        MemberRole.Voter => "voter",
        MemberRole.Learner => "learner",
        _ => "leaving",
    };

    private void Line(FormattableString line) =>
        output.WriteLine(LogLine.Escape(line.ToString(CultureInfo.InvariantCulture)));
}
