using System.Diagnostics;
using System.Text;
using Microsoft.Win32.SafeHandles;
using RaftFast.Protocol;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Tests.Directories;

public sealed class DataDirectoryTests : IDisposable
{
    private static readonly PeerAddress Address = new("::1", 9022);

    private static readonly NodeIdentity Identity = new(2, Address, 0xD1D2D3D4D5D6D7D8, ClusterConfiguration.Bootstrap(
        [new PeerAddress("127.0.0.1", 9021), Address, new PeerAddress("node-3", 80)]));

    private readonly TemporaryDirectory temporary = new();

    [Fact]
    public void New_directory_is_created_with_its_parents_and_has_no_identity()
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
        Assert.Equal(
            (Identity.MemberId, Identity.Address, Identity.Directory),
            (read.MemberId, read.Address, read.Directory));
        Assert.Equal(Identity.Configuration.ClusterId, read.Configuration.ClusterId);
        Assert.Equal(Identity.Configuration.Members, read.Configuration.Members);
        Assert.Throws<InvariantException>(() => again.WriteIdentity(Identity));
        string text = File.ReadAllText(temporary.PathOf(IdentityFile.Name));
        Assert.StartsWith("RaftFast identity 2\nmember 2\n", text, StringComparison.Ordinal);
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
        Assert.Equal(
            (4UL, Address, 1UL, 0xC1UL),
            (read.MemberId, read.Address, read.Directory, read.Configuration.ClusterId));
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
        string refusal = Refusal(temporary.Location);
        Assert.Contains($"holds a snapshot ({name}) but no identity file", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Directory_in_use_is_refused_with_the_process_id()
    {
        string refusal;
        using (DataDirectory held = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct))
            refusal = Refusal(temporary.Location);
        Assert.Contains($"in use by another process {Environment.ProcessId};", refusal, StringComparison.Ordinal);
        DataDirectory.Open(temporary.Location, DiskWriteMode.Direct).Dispose();
    }

    [Fact]
    public void Directory_whose_lock_file_was_deleted_is_in_use_all_the_same()
    {
        using DataDirectory held = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct);
        held.WriteIdentity(Identity);
        File.Delete(temporary.PathOf(DirectoryLock.Name));

        Assert.Contains("in use by another process", Refusal(temporary.Location), StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => DataDirectory.OpenReadOnly(temporary.Location));
        Assert.Throws<StorageException>(() => DirectoryRestore.Begin(temporary.Location, Identity));
    }

    [Fact]
    public void Lock_file_that_alone_is_locked_may_not_be_deleted_or_replaced()
    {
        Assert.SkipUnless(Libc.IsKnown, "the lock file is verified on Linux");
        using DirectoryLock held = DirectoryLock.Take(temporary.Location, (_, _) => null);
        held.Verify();
        File.Delete(temporary.PathOf(DirectoryLock.Name));
        AssertLost();

        File.WriteAllText(temporary.PathOf(DirectoryLock.Name), "another file");
        AssertLost();

        void AssertLost() => Assert.Contains(
            $"{temporary.PathOf(DirectoryLock.Name)} was deleted or replaced",
            Assert.Throws<StorageException>(held.Verify).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lock_on_the_directory_itself_outlives_the_lock_file()
    {
        using DataDirectory held = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct);
        File.Delete(temporary.PathOf(DirectoryLock.Name));
        held.VerifyLock();
    }

    [Fact]
    public void Directory_open_for_reading_refuses_its_member_and_admits_other_readers()
    {
        using (DataDirectory directory = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct))
        {
            directory.WriteIdentity(Identity);
            Assert.Contains(
                "in use",
                Assert.Throws<StorageException>(() => DataDirectory.OpenReadOnly(temporary.Location)).Message,
                StringComparison.Ordinal);
        }
        using DataDirectory reader = DataDirectory.OpenReadOnly(temporary.Location);
        using DataDirectory another = DataDirectory.OpenReadOnly(temporary.Location);
        Assert.Equal(Identity.MemberId, another.ReadIdentity()!.MemberId);
        Assert.Contains("in use", Refusal(temporary.Location), StringComparison.Ordinal);
    }

    [Fact]
    public void Inode_tells_a_replaced_file_from_an_open_one()
    {
        Assert.SkipUnless(Libc.IsKnown, "statx is Linux's");
        File.WriteAllText(temporary.PathOf("file"), "");
        using SafeFileHandle open = File.OpenHandle(temporary.PathOf("file"));
        Assert.Equal(0, Libc.TryInode(open, out long first));
        Assert.Equal(0, Libc.TryInode(temporary.PathOf("file"), out long named));
        Assert.Equal(first, named);
        File.Delete(temporary.PathOf("file"));
        Assert.Equal(Libc.NoEntry, Libc.TryInode(temporary.PathOf("file"), out _));
        Assert.Equal(Libc.NoDirectory, Libc.TryInode("/dev/null/file", out _));
        File.WriteAllText(temporary.PathOf("file"), "");
        Assert.Equal(0, Libc.TryInode(temporary.PathOf("file"), out long second));
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Only_the_owner_may_read_what_is_made()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes");
            return;
        }
        using DataDirectory directory = DataDirectory.Open(temporary.PathOf("a/b"), DiskWriteMode.Direct);
        directory.WriteIdentity(Identity);
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(owner | UnixFileMode.UserExecute, File.GetUnixFileMode(temporary.PathOf("a")));
        Assert.Equal(owner | UnixFileMode.UserExecute, File.GetUnixFileMode(temporary.PathOf("a/b")));
        Assert.Equal(owner, File.GetUnixFileMode(temporary.PathOf("a/b/identity")));
        Assert.Equal(owner, File.GetUnixFileMode(temporary.PathOf("a/b/lock")));
    }

    [Fact]
    public void Root_of_a_file_system_is_not_foreign()
    {
        Directory.CreateDirectory(temporary.PathOf("lost+found"));
        DataDirectory.Open(temporary.Location, DiskWriteMode.Direct).Dispose();
    }

    [Fact]
    public void Lock_is_released_when_its_process_ends()
    {
        if (!File.Exists("/usr/bin/flock"))
            Assert.Skip("no flock(1) here");
        DataDirectory.Open(temporary.Location, DiskWriteMode.Direct).Dispose();
        ProcessStartInfo start = new(
            "/usr/bin/flock",
            ["--no-fork", temporary.PathOf(DirectoryLock.Name), "/bin/sh", "-c", "echo locked; exec sleep 60"])
        {
            RedirectStandardOutput = true,
        };
        using Process other = Process.Start(start)!;
        Assert.Equal("locked", other.StandardOutput.ReadLine());
        Assert.Contains("in use", Refusal(temporary.Location), StringComparison.Ordinal);
        other.Kill();
        other.WaitForExit();
        DataDirectory.Open(temporary.Location, DiskWriteMode.Direct).Dispose();
    }

    [Fact]
    public void Path_of_a_file_is_refused()
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
    public void List_of_members_without_an_identity_is_refused()
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
