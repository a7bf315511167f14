using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

public sealed class InflightsTests
{
    [Fact]
    public void Window_is_full_by_count()
    {
        Inflights inflights = new(countMax: 2, bytesMax: 1000);
        inflights.Add(1, 1);
        Assert.False(inflights.IsFull);
        inflights.Add(2, 1);
        Assert.True(inflights.IsFull);
        Assert.Throws<InvariantException>(() => inflights.Add(3, 1));
    }

    [Fact]
    public void Window_is_full_by_bytes_and_admits_one_of_any_size()
    {
        Inflights inflights = new(countMax: 10, bytesMax: 100);
        inflights.Add(1, 99);
        Assert.False(inflights.IsFull);
        inflights.Add(2, 5000);
        Assert.True(inflights.IsFull);
        inflights.FreeTo(1);
        Assert.True(inflights.IsFull);
        inflights.FreeTo(2);
        Assert.True(inflights.IsEmpty);
        Assert.False(inflights.IsFull);
    }

    [Fact]
    public void Only_appends_that_are_acknowledged_as_a_whole_are_freed()
    {
        Inflights inflights = new(countMax: 3, bytesMax: 1000);
        inflights.Add(10, 1);
        inflights.Add(20, 1);
        inflights.Add(30, 1);
        inflights.FreeTo(9);
        Assert.True(inflights.IsFull);
        inflights.FreeTo(29);
        inflights.Add(40, 1);
        inflights.Add(50, 1);
        Assert.True(inflights.IsFull);
        inflights.FreeTo(50);
        Assert.True(inflights.IsEmpty);
        inflights.FreeTo(60);
    }

    [Fact]
    public void Ring_keeps_order_around_its_end()
    {
        Inflights inflights = new(countMax: 3, bytesMax: 1000);
        for (long index = 1; index <= 100; index++)
        {
            inflights.Add(index, (int)index);
            if (index > 2)
            {
                Assert.True(inflights.IsFull);
                inflights.FreeTo(index - 2);
            }
            Assert.False(inflights.IsEmpty);
        }
    }

    [Fact]
    public void Clearing_gives_all_room_back()
    {
        Inflights inflights = new(countMax: 2, bytesMax: 10);
        inflights.Add(1, 10);
        inflights.Clear();
        Assert.True(inflights.IsEmpty);
        inflights.Add(1, 9);
        inflights.Add(2, 9);
        Assert.True(inflights.IsFull);
    }
}
