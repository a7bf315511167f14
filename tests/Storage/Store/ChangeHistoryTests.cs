using System.Text;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class ChangeHistoryTests
{
    private readonly ChangeHistory history = new(ChangeHistory.BytesMin);

    [Fact]
    public void Changes_are_seen_once_their_entry_is_published()
    {
        history.Reset(10);
        history.Add(ChangeKind.Put, 11, "/a"u8, "1"u8);
        Assert.Empty(HistoryReader.All(history));
        history.Add(ChangeKind.Delete, 11, "/b"u8, default);
        history.Publish(12);
        Assert.Equal(["11 Put /a 1", "11 Delete /b "], HistoryReader.All(history));
        Assert.Equal((10, 12), (history.Read().Floor, history.Read().Index));
    }

    /// <summary>The oldest changes give way, and no change after the floor is missing.</summary>
    [Fact]
    public void Ring_wraps_and_keeps_every_change_after_its_floor()
    {
        Random random = new(3);
        List<string> all = [];
        List<long> indexes = [];
        for (long index = 1; index <= 3_000; index++)
        {
            for (int change = random.Next(3); change > 0; change--)
            {
                int length = random.Next(random.Next(20) == 0 ? 100_000 : 5_000);
                string value = new((char)('a' + random.Next(26)), length);
                byte[] key = Encoding.ASCII.GetBytes($"/{index}");
                history.Add(ChangeKind.Put, index, key, Encoding.ASCII.GetBytes(value));
                all.Add($"{index} Put /{index} {value}");
                indexes.Add(index);
            }
            history.Publish(index);
            if (index % 100 == 0)
                AssertHoldsTheLast(all, indexes);
        }
        Assert.True(history.Read().Floor > 1_000);
    }

    [Fact]
    public void Place_after_an_entry_is_found_for_every_entry()
    {
        byte[] value = new byte[3_000];
        for (long index = 1; index <= 4_000; index++)
            history.Add(ChangeKind.Put, index, "/k"u8, value);
        history.Publish(4_000);
        HistoryExtent extent = history.Read();
        for (long after = extent.Floor; after <= 4_100; after++)
        {
            long position = history.Find(after, extent);
            int read = 0;
            Change change = default;
            while (position < extent.Head && history.TryRead(position, out change, default) && change.Index <= after)
            {
                position += change.Length;
                read++;
            }
            Assert.Equal(after >= 4_000 ? 4_000 : after + 1, position < extent.Head ? change.Index : 4_000);
            // A reader skips at most the changes between two marks.
            Assert.InRange(read, 0, 2 * 64 * 1024 / 3_000);
        }
    }

    [Fact]
    public void Reset_takes_every_reader_s_place()
    {
        history.Add(ChangeKind.Put, 1, "/a"u8, "1"u8);
        history.Publish(1);
        HistoryExtent before = history.Read();
        history.Reset(100);
        Assert.False(history.TryRead(before.Tail, out _, default));
        Assert.False(history.TryRead(before.Head, out _, default));
        history.Add(ChangeKind.Put, 101, "/b"u8, "2"u8);
        history.Publish(101);
        Assert.False(history.TryRead(before.Head, out _, default));
        Assert.Equal(["101 Put /b 2"], HistoryReader.All(history));
        Assert.Equal(100, history.Read().Floor);
    }

    /// <summary>A reader beside the writer sees each change whole and in order, or that it was overwritten.</summary>
    [Fact]
    public async Task Reader_on_another_thread_never_sees_half_a_change()
    {
        const long Last = 200_000;
        Task<long> reading = Task.Run(() =>
        {
            long lost = 0;
            HistoryExtent extent = history.Read();
            long seen = extent.Index;
            long position = extent.Head;
            while (seen < Last)
            {
                extent = history.Read();
                if (position == extent.Head)
                    continue;
                if (!HistoryReader.TryRead(history, position, out Change change, out string text))
                {
                    lost++;
                    extent = history.Read();
                    seen = extent.Floor;
                    position = extent.Tail;
                    continue;
                }
                Assert.Equal(seen + 1, change.Index);
                Assert.Equal(Expected(change.Index), text);
                seen = change.Index;
                position += change.Length;
            }
            return lost;
        });
        for (long index = 1; index <= Last; index++)
        {
            string[] parts = Expected(index).Split(' ');
            history.Add(
                ChangeKind.Put, index, Encoding.ASCII.GetBytes(parts[2]), Encoding.ASCII.GetBytes(parts[3]));
            history.Publish(index);
        }
        await Eventually.EndsAsync(reading);
    }

    [Fact]
    public void Adding_and_publishing_allocates_nothing()
    {
        byte[] value = new byte[100];
        long index = 0;
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                history.Add(ChangeKind.Put, ++index, "/key"u8, value);
                history.Publish(index);
            }
        }));
    }

    private static string Expected(long index) =>
        $"{index} Put /{index} {new string((char)('a' + (index % 26)), (int)(index * 7 % 600))}";

    private void AssertHoldsTheLast(List<string> all, List<long> indexes)
    {
        List<string> held = HistoryReader.All(history);
        Assert.Equal(all[^held.Count..], held);
        HistoryExtent extent = history.Read();
        Assert.InRange(extent.Head - extent.Tail, 0, history.BytesMax);
        int firstWhole = indexes.FindIndex(index => index > extent.Floor);
        Assert.True(firstWhole < 0 || firstWhole >= all.Count - held.Count, "a change after the floor is missing");
        int lost = all.Count - held.Count;
        Assert.Equal(lost == 0 ? 0 : indexes[lost - 1], extent.Floor);
    }
}
