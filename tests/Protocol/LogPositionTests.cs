namespace RaftFast.Protocol.Tests;

public sealed class LogPositionTests
{
    [Fact]
    public void Positions_are_ordered_by_term_and_then_by_index() // §5.4.1
    {
        LogPosition[] ascending = [new(0, 0), new(1, 1), new(1, 2), new(1, long.MaxValue), new(2, 0), new(2, 1)];
        for (int i = 0; i < ascending.Length; i++)
        {
            for (int k = 0; k < ascending.Length; k++)
            {
                Assert.Equal(i.CompareTo(k), Math.Sign(ascending[i].CompareTo(ascending[k])));
                Assert.Equal(i < k, ascending[i] < ascending[k]);
                Assert.Equal(i <= k, ascending[i] <= ascending[k]);
                Assert.Equal(i > k, ascending[i] > ascending[k]);
                Assert.Equal(i >= k, ascending[i] >= ascending[k]);
                Assert.Equal(i == k, ascending[i] == ascending[k]);
            }
        }
    }
}
