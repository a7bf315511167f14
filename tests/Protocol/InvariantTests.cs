namespace RaftFast.Protocol.Tests;

public sealed class InvariantTests
{
    [Fact]
    public void Broken_invariant_throws_in_every_build_and_says_what_and_where()
    {
        int next = 1;
        Invariant.Hold(next > 0);
        InvariantException exception = Assert.Throws<InvariantException>(() => Invariant.Hold(next > 1));
        Assert.Contains("next > 1", exception.Message, StringComparison.Ordinal);
        Assert.Contains("InvariantTests.cs:", exception.Message, StringComparison.Ordinal);
    }
}
