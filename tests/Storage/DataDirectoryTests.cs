using System.Diagnostics;
using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Tests;

public sealed class DataDirectoryTests : IDisposable
{
    private static readonly PeerAddress Address = new("::1", 9022);

    private static readonly NodeIdentity Identity = new(2, Address, 0xD1D2D3D4D5D6D7D8, ClusterConfiguration.Bootstrap(
        [new PeerAddress("127.0.0.1", 9021), Address, new PeerAddress("node-3", 80)]));

    private readonly TemporaryDirectory temporary = new();

    [Fact]
    public void New_directory_is_made_with_all_above_it_and_has_no_identity()
    {
        string path = temporary.PathOf("a/b/c");
        using DataDirectory directory = DataDirectory.Open(path, DiskWriteMode.Direct);
        Assert.Equal(path, directory.Path);
        Assert.True(Directory.Exists(path));
        Assert.Null(directory.ReadIdentity());
    }

    [Theory]
    [InlineData(DiskWriteMode.Direct)]
    [InlineData(DiskWriteMode.Buffered)]
    public void Identity_is_kept(DiskWriteMode mode)
    {
        using (DataDirectory directory = DataDirectory.Open(temporary.Location, mode))
            directory.WriteIdentity(Identity);
        using DataDirectory again = DataDirectory.Open(temporary.Location, mode);
        NodeIdentity? read = again.ReadIdentity();
        Assert.NotNull(read);
        Assert.Equal((Identity.MemberId, Identity.Address, Identity.Directory), (read.MemberId, read.Address, read.Directory));
        Assert.Equal(Identity.Configuration.ClusterId, read.Configuration.ClusterId);
        Assert.Equal(Identity.Configuration.Members, read.Configuration.Members);
        Assert.Throws<InvariantException>(() => again.WriteIdentity(Identity));
        Assert.StartsWith("RaftFast identity 2\nmember 2\n", File.ReadAllText(temporary.PathOf(IdentityFile.Name)), StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_anywhere_in_the_identity_is_noticed()
    {
        MemoryDisk disk = new();
        IdentityFile.Write(disk, Identity);
        int length = disk[IdentityFile.Name].AsSpan().IndexOf((byte)0);
        for (int at = 0; at < length; at++)
        {
            MemoryDisk damaged = disk.Copy();
            damaged[IdentityFile.Name][at] ^= 1;
            Assert.Throws<StorageException>(() => IdentityFile.Read(damaged));
            MemoryDisk cut = disk.Copy();
            cut[IdentityFile.Name] = cut[IdentityFile.Name][..at];
            Assert.Throws<StorageException>(() => IdentityFile.Read(cut));
        }
    }

    [Fact]
    public void Identity_of_a_node_that_joins_names_no_members()
    {
        MemoryDisk disk = new();
        IdentityFile.Write(disk, new NodeIdentity(4, Address, 1, new ClusterConfiguration(0xC1, [])));
        NodeIdentity? read = IdentityFile.Read(disk);
        Assert.NotNull(read);
        Assert.Equal((4UL, Address, 1UL, 0xC1UL), (read.MemberId, read.Address, read.Directory, read.Configuration.ClusterId));
        Assert.Empty(read.Configuration.Members);
    }

    [Theory]
    [InlineData("1", "member 1\ncluster 2009c054a7470a80\naddress 1 http://127.0.0.1:9021\n")]
    [InlineData("3", "")]
    public void Identity_of_another_version_is_refused_as_such(string version, string lines)
    {
        MemoryDisk disk = new();
        string body = $"RaftFast identity {version}\n{lines}";
        byte[] text = Encoding.UTF8.GetBytes($"{body}checksum {Crc32C.Compute(Encoding.UTF8.GetBytes(body)):x8}\n");
        disk.Create(IdentityFile.Name, IDisk.Alignment).Dispose();
        disk[IdentityFile.Name] = text;
        Assert.Equal(
            $"identity has format {version}, and this program knows 2 only; start the program that wrote it",
            Assert.Throws<StorageException>(() => IdentityFile.Read(disk)).Message);
    }

    [Fact]
    public void Crash_while_the_identity_is_written_leaves_a_new_directory()
    {
        using (DataDirectory first = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct))
            File.WriteAllText(temporary.PathOf(IdentityFile.TemporaryName), "half of it");
        using DataDirectory again = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct);
        Assert.Null(again.ReadIdentity());
        again.WriteIdentity(Identity);
        Assert.NotNull(again.ReadIdentity());
    }

    [Fact]
    public void Snapshot_without_an_identity_is_refused()
    {
        string name = new SnapshotFile(17).Name;
        File.WriteAllText(temporary.PathOf(name), "");
        Assert.Contains($"holds a snapshot ({name}) but no identity file", Refusal(temporary.Location), StringComparison.Ordinal);
    }

    [Fact]
    public void Directory_in_use_is_refused_with_the_process_id()
    {
        using (DataDirectory held = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct))
            Assert.Contains($"in use by another process {Environment.ProcessId};", Refusal(temporary.Location), StringComparison.Ordinal);
        DataDirectory.Open(temporary.Location, DiskWriteMode.Direct).Dispose();
    }

    [Fact]
    public void Lock_dies_with_its_process()
    {
        if (!File.Exists("/usr/bin/flock"))
            Assert.Skip("no flock(1) here");
        DataDirectory.Open(temporary.Location, DiskWriteMode.Direct).Dispose();
        using Process other = Process.Start(new ProcessStartInfo(
            "/usr/bin/flock", ["--no-fork", temporary.PathOf(DirectoryLock.Name), "/bin/sh", "-c", "echo locked; exec sleep 60"]) { RedirectStandardOutput = true })!;
        Assert.Equal("locked", other.StandardOutput.ReadLine());
        Assert.Contains("in use", Refusal(temporary.Location), StringComparison.Ordinal);
        other.Kill();
        other.WaitForExit();
        DataDirectory.Open(temporary.Location, DiskWriteMode.Direct).Dispose();
    }

    [Fact]
    public void File_is_no_directory()
    {
        File.WriteAllText(temporary.PathOf("file"), "");
        Assert.Contains("is a file", Refusal(temporary.PathOf("file")), StringComparison.Ordinal);
        Assert.Contains("can't be written", Refusal(temporary.PathOf("file/below")), StringComparison.Ordinal);
    }

    [Fact]
    public void Directory_that_cannot_be_made_is_refused()
    {
        if (!Directory.Exists("/proc/self"))
            Assert.Skip("no /proc here");
        Assert.Contains("can't be written", Refusal("/proc/raftfast"), StringComparison.Ordinal);
    }

    [Fact]
    public void Directory_of_something_else_is_refused_and_left_as_it_is()
    {
        File.WriteAllText(temporary.PathOf("notes.txt"), "mine");
        Assert.Contains("it holds notes.txt", Refusal(temporary.Location), StringComparison.Ordinal);
        Assert.Equal([temporary.PathOf("notes.txt")], Directory.GetFileSystemEntries(temporary.Location));
    }

    [Fact]
    public void Log_without_an_identity_is_refused()
    {
        File.WriteAllText(temporary.PathOf(WalSegment.Name(1)), "");
        Assert.Contains("but no identity file", Refusal(temporary.Location), StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_of_other_members_without_an_identity_is_refused()
    {
        File.WriteAllText(temporary.PathOf(MetDirectories.Name), "");
        Assert.Contains("(peers) but no identity file", Refusal(temporary.Location), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_files_beside_an_identity_do_not_matter()
    {
        using (DataDirectory directory = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct))
            directory.WriteIdentity(Identity);
        File.WriteAllText(temporary.PathOf("notes.txt"), "mine");
        using DataDirectory again = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct);
        Assert.NotNull(again.ReadIdentity());
    }

    public void Dispose() => temporary.Dispose();

    private static string Refusal(string path)
    {
        string message = Assert.Throws<StorageException>(() => DataDirectory.Open(path, DiskWriteMode.Direct)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
