using System.Diagnostics;
using System.Runtime.InteropServices;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Tests.Disk;

public sealed partial class DiskRingTests : IDisposable
{
    private const int PollInput = 1;

    private readonly TemporaryDirectory directory = new();

    public static TheoryData<DiskWriteMode, int> Writes => new MatrixTheoryData<DiskWriteMode, int>(
        [DiskWriteMode.Direct, DiskWriteMode.Buffered], [1, 3, 64, 512]);

    [Theory]
    [MemberData(nameof(Writes))]
    public void File_keeps_what_the_ring_writes(DiskWriteMode mode, int blocks)
    {
        FileDisk disk = new(directory.Location, mode);
        using DiskRing ring = Rings.Open(disk);
        int bytes = blocks * IDisk.Alignment;
        using AlignedMemory memory = new(bytes);
        using IDiskFile file = disk.Create("a", 3L * bytes);
        for (int i = 0; i < 3; i++)
        {
            new Random(i).NextBytes(memory.Span);
            Assert.True(ring.TryBegin(file, (long)i * bytes, memory.Span));
            WaitUntilDurable(ring);
        }
        byte[] expected = new byte[bytes];
        byte[] read = File.ReadAllBytes(directory.PathOf("a"));
        Assert.Equal(3 * bytes, read.Length);
        for (int i = 0; i < 3; i++)
        {
            new Random(i).NextBytes(expected);
            Assert.True(read.AsSpan(i * bytes, bytes).SequenceEqual(expected), $"write {i}");
        }
    }

    [Fact]
    public void The_try_at_the_start_leaves_no_file()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Direct);
        // The last process died during its trial write.
        File.WriteAllText(directory.PathOf("wal-probe.tmp"), "");
        Rings.Open(disk).Dispose();
        Assert.Empty(disk.List());
    }

    [Fact]
    public void A_failed_write_is_reported_with_its_file_and_place()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Direct);
        using DiskRing ring = Rings.Open(disk);
        disk.Create("a", 4 * IDisk.Alignment).Dispose();
        using IDiskFile file = new FileDisk(directory.Location, DiskWriteMode.ReadOnly).Open("a");
        using AlignedMemory memory = new(IDisk.Alignment);
        Assert.True(ring.TryBegin(file, 2 * IDisk.Alignment, memory.Span));
        StorageException failure = Assert.Throws<StorageException>(() => WaitUntilDurable(ring));
        Assert.Contains(
            $"can't write {directory.PathOf("a")} at byte 8192:", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A pipe takes 64 KiB, and the rest only when a reader has taken some.</summary>
    [Fact]
    public void A_write_that_does_not_return_holds_up_nothing_and_a_short_write_continues()
    {
        using DiskRing ring = Rings.Open(new FileDisk(directory.Location, DiskWriteMode.Direct));
        string pipe = directory.PathOf("pipe");
        using (Process made = Process.Start("mkfifo", pipe))
            made.WaitForExit();
        const int bytes = 512 << 10;
        using AlignedMemory memory = new(bytes);
        new Random(1).NextBytes(memory.Span);
        using LinuxFile file = LinuxFile.Open(pipe, DiskWriteMode.Buffered);
        Assert.True(ring.TryBegin(file, 0, memory.Span));
        while (Poll(ring.Descriptor, milliseconds: 100))
        {
            Assert.False(ring.TryEnd());
            ReadSignals(ring);
        }
        Assert.True(ring.IsWriting);
        byte[] read = new byte[bytes];
        using FileStream reader = new(pipe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        Thread reading = new(() => reader.ReadExactly(read));
        reading.Start();
        WaitUntilDurable(ring);
        reading.Join();
        Assert.True(memory.Span.SequenceEqual(read));
    }

    [Fact]
    public void A_second_write_while_one_is_out_is_a_bug()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Direct);
        using DiskRing ring = Rings.Open(disk);
        using IDiskFile file = disk.Create("a", IDisk.Alignment);
        using AlignedMemory memory = new(IDisk.Alignment);
        Assert.Throws<InvariantException>(() => ring.TryEnd());
        Assert.True(ring.TryBegin(file, 0, memory.Span));
        Assert.Throws<InvariantException>(() => ring.TryBegin(file, 0, memory.Span));
        WaitUntilDurable(ring);
        Assert.Throws<InvariantException>(() => ring.TryBegin(file, 1, memory.Span));
    }

    public void Dispose() => directory.Dispose();

    /// <summary>Waits for the ring's descriptor, as the thread of the sockets does.</summary>
    internal static void WaitForSignal(DiskRing ring)
    {
        Assert.True(Poll(ring.Descriptor, milliseconds: 20_000), "the ring signals the end of a write");
        ReadSignals(ring);
    }

    private static void WaitUntilDurable(DiskRing ring)
    {
        while (!ring.TryEnd())
            WaitForSignal(ring);
    }

    private static unsafe bool Poll(int descriptor, int milliseconds)
    {
        PollEntry entry = new() { Descriptor = descriptor, Events = PollInput };
        return Poll(&entry, 1, milliseconds) == 1;
    }

    private static unsafe void ReadSignals(DiskRing ring)
    {
        ulong count;
        _ = Read(ring.Descriptor, &count, sizeof(ulong));
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static unsafe partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read")]
    private static unsafe partial nint Read(int descriptor, void* buffer, nint count);

    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
