namespace RaftFast.Linearizability.Tests;

public sealed class VisitedStatesTests
{
    private readonly VisitedStates visited = new(keyWordsMax: 20_002);

    [Fact]
    public void A_state_is_new_once()
    {
        for (ulong i = 0; i < 10_000; i++)
            Assert.True(visited.Add(i * 0x9E3779B97F4A7C15, 0, [i], []));
        for (ulong i = 0; i < 10_000; i++)
            Assert.False(visited.Add(i * 0x9E3779B97F4A7C15, 0, [i], []));
        Assert.Equal(10_000, visited.Count);
    }

    [Fact]
    public void A_search_that_outgrows_its_memory_ends_with_advice()
    {
        VisitedStates small = new(keyWordsMax: 4);
        Assert.True(small.Add(1, 0, [1], []));
        Assert.True(small.Add(2, 0, [2], []));
        Assert.Throws<InsufficientMemoryException>(() => small.Add(3, 0, [3], []));
    }

    [Fact]
    public void States_of_equal_hash_are_told_apart_by_every_part_of_the_key()
    {
        Assert.True(visited.Add(5, 1, [2, 3], [4]));
        Assert.True(visited.Add(5, 9, [2, 3], [4]));
        Assert.True(visited.Add(5, 1, [9, 3], [4]));
        Assert.True(visited.Add(5, 1, [2, 9], [4]));
        Assert.True(visited.Add(5, 1, [2, 3], [9]));
        Assert.True(visited.Add(5, 1, [2], [4]));
        Assert.False(visited.Add(5, 1, [2, 3], [4]));
    }
}
