using System.Text;

namespace RaftFast.Http.Tests;

public sealed class MemberIdParserTests
{
    [Theory]
    [InlineData("/1", 1)]
    [InlineData("/18446744073709551615", ulong.MaxValue)]
    [InlineData("/0xffffffffffffffff", ulong.MaxValue)]
    [InlineData("/0XfF", 255)]
    [InlineData("/0o17", 15)]
    [InlineData("/0O17", 15)]
    [InlineData("/0b101", 5)]
    [InlineData("/0B101", 5)]
    [InlineData("/010", 10)]
    [InlineData("/00000000000000000000000000000001", 1)]
    public void Reads_a_member_id(string target, ulong id)
    {
        Assert.True(MemberIdParser.TryParse(Encoding.ASCII.GetBytes(target), out ulong parsed));
        Assert.Equal(id, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("/")]
    [InlineData("/0")]
    [InlineData("/0x0")]
    [InlineData("/0x")]
    [InlineData("/0b")]
    [InlineData("/0b2")]
    [InlineData("/0o8")]
    [InlineData("/0xg")]
    [InlineData("/-1")]
    [InlineData("/+1")]
    [InlineData("/1a")]
    [InlineData("/1_000")]
    [InlineData("/1/")]
    [InlineData("/1?x")]
    [InlineData("/%31")]
    [InlineData("//1")]
    [InlineData("/18446744073709551616")]
    [InlineData("/0x10000000000000000")]
    [InlineData("/36893488147419103233")]
    [InlineData("http://h/1")]
    public void Refuses_what_is_no_member_id(string target) =>
        Assert.False(MemberIdParser.TryParse(Encoding.ASCII.GetBytes(target), out _));
}
