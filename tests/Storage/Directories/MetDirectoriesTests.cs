using RaftFast.Protocol;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Tests.Directories;

public sealed class MetDirectoriesTests
{
    [Fact]
    public void First_meeting_counts_for_ever()
    {
        MemoryDisk disk = new();
        MetDirectories met = MetDirectories.Open(disk);
        for (int i = 0; i < 2; i++)
        {
            Assert.True(met.IsAsMet(2, 0xA, hasPromised: true));
            Assert.False(met.IsAsMet(2, 0xB, hasPromised: true));
            Assert.True(met.IsAsMet(3, 0xB, hasPromised: true));
            Assert.False(met.IsAsMet(3, 0, hasPromised: true));
            met = MetDirectories.Open(disk);
        }
        Assert.Equal([2ul, 3ul], met.Members);
    }

    [Fact]
    public void Directory_without_promises_is_replaced_by_one_that_has_promised()
    {
        MemoryDisk disk = new();
        Assert.True(MetDirectories.Open(disk).IsAsMet(2, 0xA, hasPromised: false));
        Assert.False(MetDirectories.Open(disk).IsAsMet(2, 0xB, hasPromised: false));
        Assert.True(MetDirectories.Open(disk).Knows(2, 0xA, hasPromised: false));
        Assert.False(MetDirectories.Open(disk).Knows(2, 0xA, hasPromised: true));
        Assert.True(MetDirectories.Open(disk).IsAsMet(2, 0xB, hasPromised: true));
        MetDirectories met = MetDirectories.Open(disk);
        Assert.True(met.Knows(2, 0xB, hasPromised: false));
        Assert.False(met.IsAsMet(2, 0xA, hasPromised: true));
        Assert.False(met.Knows(2, 0xA, hasPromised: false));
        Assert.False(met.Knows(3, 0xA, hasPromised: false));
    }

    [Fact]
    public void Directory_that_was_kept_is_never_replaced()
    {
        MemoryDisk disk = new();
        MetDirectories met = MetDirectories.Open(disk);
        Assert.True(met.IsAsMet(2, 0xA, hasPromised: false));
        Assert.True(met.IsAsMet(2, 0xA, hasPromised: true));
        Assert.True(met.IsAsMet(2, 0xA, hasPromised: false));
        foreach (MetDirectories one in new[] { met, MetDirectories.Open(disk) })
        {
            Assert.False(one.IsAsMet(2, 0xB, hasPromised: true));
            Assert.True(one.Knows(2, 0xA, hasPromised: true));
        }
    }

    [Fact]
    public void File_is_text_with_a_checksum_of_its_own()
    {
        MemoryDisk disk = Met((3, ulong.MaxValue), (2, 1), (ulong.MaxValue, 0));
        string text = System.Text.Encoding.UTF8.GetString(disk[MetDirectories.Name]).TrimEnd('\0');
        Assert.StartsWith(
            "RaftFast peers 1\nmet 2 0000000000000001\nmet 3 ffffffffffffffff\n"
            + "met 18446744073709551615 0000000000000000\nchecksum ",
            text,
            StringComparison.Ordinal);
        Assert.Equal([MetDirectories.Name], disk.List());
    }

    [Fact]
    public void Forgotten_member_is_met_again()
    {
        MemoryDisk disk = Met((2, 0xA), (3, 0xB));
        MetDirectories met = MetDirectories.Open(disk);
        met.Forget([1, 2]);
        Assert.Equal([3ul], met.Members);
        Assert.True(met.IsAsMet(4, 0xC, hasPromised: true));
        Assert.Equal([3ul, 4ul], MetDirectories.Open(disk).Members);
        Assert.True(met.IsAsMet(2, 0xD, hasPromised: true));
    }

    [Fact]
    public void Damage_anywhere_is_noticed()
    {
        MemoryDisk disk = Met((2, 0xA), (3, 0xB));
        int length = disk[MetDirectories.Name].AsSpan().IndexOf((byte)0);
        for (int at = 0; at < length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                MemoryDisk damaged = disk.Copy();
                damaged[MetDirectories.Name][at] ^= (byte)(1 << bit);
                Assert.Throws<StorageException>(() => MetDirectories.Open(damaged));
            }
            MemoryDisk cut = disk.Copy();
            cut[MetDirectories.Name] = cut[MetDirectories.Name][..at];
            Assert.Throws<StorageException>(() => MetDirectories.Open(cut));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("RaftFast identity 1\n")]
    [InlineData("RaftFast peers 1\nmet 2\n")]
    [InlineData("RaftFast peers 1\nmeet 2 0a\n")]
    [InlineData("RaftFast peers 1\nmet 2 0a 0b\n")]
    [InlineData("RaftFast peers 1\nmet -2 0a\n")]
    [InlineData("RaftFast peers 1\nmet 2 xx\n")]
    [InlineData("RaftFast peers 1\nmet 2 0a\nseen 2 0b\n")]
    public void Malformed_lines_with_a_valid_checksum_are_damage(string body) =>
        Assert.Contains("is damaged", RefusalOf(body), StringComparison.Ordinal);

    [Fact]
    public void Later_version_is_refused_by_name() =>
        Assert.Contains("format 2", RefusalOf("RaftFast peers 2\nsomething else\n"), StringComparison.Ordinal);

    [Fact]
    public void Failed_write_leaves_the_old_file()
    {
        MemoryDisk disk = Met((2, 0xA));
        disk.FailingWrite = disk.Writes + 1;
        Assert.Throws<StorageException>(() => MetDirectories.Open(disk).IsAsMet(3, 0xB, hasPromised: true));
        AssertSurvives(disk, 2);
        disk.Crash();
        AssertSurvives(disk, 2);
        Assert.True(MetDirectories.Open(disk).IsAsMet(3, 0xC, hasPromised: true)); // A temporary file is in the way.
    }

    [Fact]
    public void Meeting_read_after_a_kill_before_the_directory_sync_survives_power_loss()
    {
        MemoryDisk disk = Met((2, 0xA));
        MetDirectories killed = MetDirectories.Open(disk);
        disk.NextDirectorySyncFails = true;
        Assert.Throws<StorageException>(() => killed.IsAsMet(3, 0xB, hasPromised: true));
        AssertSurvives(disk, 2, 3);
        disk.Crash();
        AssertSurvives(disk, 2, 3);
    }

    [Fact]
    public void Power_loss_before_the_directory_sync_leaves_the_old_file()
    {
        MemoryDisk disk = Met((2, 0xA));
        MetDirectories meeting = MetDirectories.Open(disk);
        disk.NextDirectorySyncFails = true;
        Assert.Throws<StorageException>(() => meeting.IsAsMet(3, 0xB, hasPromised: true));
        disk.Crash();
        AssertSurvives(disk, 2);
    }

    [Fact]
    public void Power_loss_after_a_meeting_keeps_it()
    {
        MemoryDisk disk = Met((2, 0xA), (3, 0xB));
        disk.Crash();
        AssertSurvives(disk, 2, 3);
    }

    [Fact]
    public void Meeting_does_not_take_place_on_a_full_disk()
    {
        MemoryDisk disk = Met((2, 0xA));
        MetDirectories met = MetDirectories.Open(disk);
        disk.BytesFree = 0;
        Assert.Throws<DiskFullException>(() => met.IsAsMet(3, 0xB, hasPromised: true));
        Assert.True(met.IsAsMet(2, 0xA, hasPromised: true));
        AssertSurvives(disk, 2);
        disk.BytesFree = long.MaxValue;
        Assert.True(met.IsAsMet(3, 0xC, hasPromised: true));
    }

    [Fact]
    public void Two_threads_meet_one_directory()
    {
        for (int round = 0; round < 50; round++)
        {
            MetDirectories met = MetDirectories.Open(new MemoryDisk());
            int first = 0;
            Parallel.For(0, 4, directory =>
            {
                if (met.IsAsMet(2, (ulong)directory, hasPromised: true))
                    Interlocked.Increment(ref first);
            });
            Assert.Equal(1, first);
        }
    }

    private static MemoryDisk Met(params (ulong Member, ulong Directory)[] meetings)
    {
        MemoryDisk disk = new();
        MetDirectories met = MetDirectories.Open(disk);
        foreach ((ulong member, ulong directory) in meetings)
            Assert.True(met.IsAsMet(member, directory, hasPromised: true));
        return disk;
    }

    private static void AssertSurvives(MemoryDisk disk, params ulong[] members) =>
        Assert.Equal(members, MetDirectories.Open(disk).Members);

    private static string RefusalOf(string body)
    {
        MemoryDisk disk = new();
        byte[] text = System.Text.Encoding.UTF8.GetBytes(body);
        byte[] checksum = System.Text.Encoding.UTF8.GetBytes($"checksum {Crc32C.Compute(text):x8}\n");
        disk.Create(MetDirectories.Name, IDisk.Alignment).Dispose();
        text.CopyTo(disk[MetDirectories.Name], 0);
        checksum.CopyTo(disk[MetDirectories.Name], text.Length);
        return Assert.Throws<StorageException>(() => MetDirectories.Open(disk)).Message;
    }
}
