using RaftFast.Protocol;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Tests.Node;
using RaftFast.Server.Tests.Peers;
using RaftFast.Server.Threads;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Tests.Loop;

public sealed class LogReadThreadTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Reads_come_back_through_the_inbox_in_order()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Direct);
        OldLog.Write(disk, entries: 10, valueBytes: 100_000);
        using Wal wal = Wal.Open(disk, 1, 1, OldLog.Options, out _);
        Inbox inbox = new(16);
        InboxReader reader = new(inbox);
        using LogReadThread thread = new(inbox);
        thread.Start();
        FollowerRead[] reads = [new(wal.CreateRead()), new(wal.CreateRead())];
        for (int i = 0; i < reads.Length; i++)
        {
            wal.BeginRead(reads[i].Entries, 1 + (3 * i), 300_000);
            reads[i].Begin(follower: 2, term: 1);
            thread.Run(reads[i]);
        }
        foreach (FollowerRead read in reads)
        {
            Assert.Same(read, reader.Next<FollowerRead>());
            Assert.True(wal.TryEndRead(read.Entries));
            Assert.Equal(2, read.Entries.Count);
        }
        Assert.Equal(new LogPosition(1, 5), reads[1].Entries.Last);
        Assert.Equal(TimeSpan.Zero, thread.Reading.Time);
    }

    [Fact]
    public void A_read_that_does_not_return_shows_and_a_stop_drops_the_reads_after_it()
    {
        OldLog.Write(new FileDisk(directory.Location, DiskWriteMode.Direct), entries: 2, valueBytes: 100);
        HangingDisk disk = new(new FileDisk(directory.Location, DiskWriteMode.Direct));
        using Wal wal = Wal.Open(disk, 1, 1, OldLog.Options, out _);
        Inbox inbox = new(16);
        InboxReader reader = new(inbox);
        LogReadThread thread = new(inbox);
        thread.Start();
        disk.HangReads();
        FollowerRead[] reads = [new(wal.CreateRead()), new(wal.CreateRead())];
        foreach (FollowerRead read in reads)
        {
            wal.BeginRead(read.Entries, 1, 1);
            thread.Run(read);
        }
        disk.WaitUntilItHangs();
        Assert.True(thread.Reading.Time > TimeSpan.Zero);
        reader.AssertEmpty();
        Thread stop = new(thread.Dispose);
        stop.Start();
        disk.Continue();
        Assert.True(stop.Join(Eventually.Deadline));
        reader.Next<FollowerRead>();
        reader.AssertEmpty();
    }
}
