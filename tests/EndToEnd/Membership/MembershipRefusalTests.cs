using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

/// <summary>Membership changes that are refused, or that change nothing.</summary>
public sealed class MembershipRefusalTests(OneNode server) : IClassFixture<OneNode>
{
    private const string Elsewhere = "http://127.0.0.1:1";

    private static int nextId = 10;

    private ClusterNode Node => server.Node;

    [Theory]
    [InlineData("", "is not a URL")]
    [InlineData("nonsense", "'nonsense' is not a URL")]
    [InlineData("http://a\nb", "is no URL")]
    [InlineData("http://xn--a-ü:9", "invalid in DNS")]
    [InlineData("http://0.0.0.0:9024", "names no machine")]
    [InlineData("127.0.0.1:9024", "http://")]
    [InlineData("http://", "is not a URL")]
    [InlineData("http://127.0.0.1:99999", "is not a URL")]
    [InlineData("http://127.0.0.1:0", "no usable port")]
    [InlineData("ftp://127.0.0.1:9024", "has the scheme ftp")]
    [InlineData("https://127.0.0.1:9024", "TLS")]
    [InlineData("http://127.0.0.1:9024/path", "more than a host and a port")]
    [InlineData("http://name@127.0.0.1:9024", "more than a host and a port")]
    [InlineData("http://127.0.0.1:9024,http://127.0.0.1:9025", "http://127.0.0.1:9021")]
    public void What_is_no_peer_url_answers_400_and_what_is_wrong(string url, string named) =>
        Operator.AssertRefused(Operator.Post(Node, NewId(), url), 400, named);

    [Theory]
    [InlineData("0x10", 0x10)]
    [InlineData("0o21", 17)]
    [InlineData("0B10010", 18)]
    [InlineData("0019", 19)]
    [InlineData("18446744073709551615", ulong.MaxValue)]
    public void An_id_may_be_written_in_each_form_of_a_number(string text, ulong id)
    {
        string url = $"http://127.0.0.1:{2 + id % 100}";
        Assert.Equal(204, Curl.Run("-X", "POST", "-d", url, Node.Url($"/{text}")).Status);
        Eventually.True(() => Operator.Says(Node, $"member {id} at {url} added"), () => $"it is a member, {Node}");
        Assert.Equal(204, Curl.Run("-X", "DELETE", Node.Url($"/{text}")).Status);
        Eventually.True(() => Operator.Says(Node, $"member {id} removed"), () => $"it is none, {Node}");
    }

    [Fact]
    public void Post_of_a_member_under_its_url_and_delete_of_no_member_change_nothing()
    {
        int absent = NewId();
        int before = ChangesLogged();
        Assert.Equal(204, Operator.Post(Node, 1, Node.PeerUrl).Status);
        Assert.Equal(204, Operator.Post(Node, 1, $"{Node.PeerUrl}/").Status);
        Assert.Equal(204, Operator.Delete(Node, absent).Status);
        Assert.Equal(before, ChangesLogged());

        // A DELETE of an id that is no member does not use up the id.
        Assert.Equal(204, Operator.Post(Node, absent, $"http://127.0.0.1:{absent}").Status);
        Assert.Equal(204, Operator.Delete(Node, absent).Status);
    }

    [Fact]
    public void Another_url_for_a_member_answers_409() =>
        Operator.AssertRefused(Operator.Post(Node, 1, Elsewhere), 409, "under another URL");

    [Fact]
    public void The_url_of_another_member_answers_409() =>
        Operator.AssertRefused(Operator.Post(Node, NewId(), Node.PeerUrl), 409, "another member's");

    [Fact]
    public void An_id_that_was_removed_answers_409_for_ever()
    {
        int id = NewId();
        string url = $"http://127.0.0.1:{id}";
        Assert.Equal(204, Operator.Post(Node, id, url).Status);
        Assert.Equal(204, Operator.Delete(Node, id).Status);
        Operator.AssertRefused(Operator.Post(Node, id, url), 409, "never used again");
        Operator.AssertRefused(Operator.Post(Node, id, Elsewhere), 409, "never used again");
        Assert.Equal(204, Operator.Delete(Node, id).Status);
    }

    [Fact]
    public void The_last_voter_stays()
    {
        Operator.AssertRefused(Operator.Delete(Node, 1), 409, "last voter");
        int learner = NewId();
        Assert.Equal(204, Operator.Post(Node, learner, $"http://127.0.0.1:{learner}").Status);
        Operator.AssertRefused(Operator.Delete(Node, 1), 409, "last voter"); // a learner is no voter
        Assert.Equal(204, Operator.Delete(Node, learner).Status);
        Assert.Equal(204, Curl.Put(Node.Url("/key"), "value").Status);
    }

    private static int NewId() => 100 + Interlocked.Increment(ref nextId);

    private int ChangesLogged() => Node.Lines.Count(line =>
        line.Contains(" added as a learner", StringComparison.Ordinal)
        || line.Contains("removed", StringComparison.Ordinal));
}
