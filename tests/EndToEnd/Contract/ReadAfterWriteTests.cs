using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Contract;

public sealed class ReadAfterWriteTests
{
    [Fact]
    public void Every_member_answers_a_write_right_after_its_204_whichever_member_took_it()
    {
        using Cluster cluster = Cluster.Start(3);
        for (int i = 0; i < 45; i++)
        {
            ClusterNode writer = cluster.Nodes[i % 3];
            Assert.Equal(204, Curl.Put(writer.Url("/same"), $"value {i}").Status);
            Assert.Equal(204, Curl.Put(writer.Url($"/own/{i}"), $"own {i}").Status);
            foreach (ClusterNode reader in cluster.Nodes)
            {
                Assert.Equal((200, $"value {i}"), StatusAndText(Curl.Get(reader.Url("/same"))));
                Assert.Equal((200, $"own {i}"), StatusAndText(Curl.Get(reader.Url($"/own/{i}"))));
            }
        }
    }

    [Fact]
    public void A_large_value_passes_from_a_follower_to_every_member()
    {
        using Cluster cluster = Cluster.Start(3);
        string value = new('x', 1 << 20);
        foreach (ClusterNode writer in cluster.Nodes)
        {
            byte[] body = System.Text.Encoding.ASCII.GetBytes($"{writer.Id}{value[1..]}");
            Assert.Equal(204, Curl.RunWithInput(body, "-X", "PUT", "--data-binary", "@-", writer.Url("/large")).Status);
            foreach (ClusterNode reader in cluster.Nodes)
                Assert.True(body.AsSpan().SequenceEqual(Curl.Get(reader.Url("/large")).Body));
        }
    }

    private static (int Status, string Text) StatusAndText(CurlResult result) => (result.Status, result.Text);
}
