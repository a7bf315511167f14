using System.Text;
using RaftFast.Http;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Requests;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node.Requests;

public sealed class WaitingReadsTests : IRequestOwner, IDisposable
{
    private readonly KeyValueStore store = new();
    private readonly WaitingReads reads;
    private readonly List<ClientRequest> woken = [];

    public WaitingReadsTests() => reads = new WaitingReads(new StateMachine(store));

    public void Dispose() => store.Dispose();

    bool IRequestOwner.MarkForResume() => false;

    void IRequestOwner.Resume()
    {
    }

    [Fact]
    public void Change_takes_all_reads_of_its_key_and_no_other()
    {
        ClientRequest[] first = [Add("/a"), Add("/a"), Add("/a")];
        ClientRequest other = Add("/b");
        reads.Take("/none"u8, woken);
        Assert.Empty(woken);
        reads.Take("/a"u8, woken);
        Assert.Equal(first.ToHashSet(), woken.ToHashSet());
        Assert.Equal(1, reads.Count);
        woken.Clear();
        reads.Take("/b"u8, woken);
        Assert.Equal([other], woken);
    }

    [Fact]
    public void Reads_whose_time_is_up_leave_the_list_of_their_key()
    {
        ClientRequest early = Add("/a", until: 10);
        ClientRequest middle = Add("/a", until: 30);
        ClientRequest late = Add("/a", until: 20);
        reads.TakeDue(10, woken);
        Assert.Equal([early], woken);
        woken.Clear();
        reads.TakeDue(20, woken);
        Assert.Equal([late], woken);
        woken.Clear();
        reads.Take("/a"u8, woken);
        Assert.Equal([middle], woken);
        Assert.Equal(0, reads.Count);
    }

    [Fact]
    public void Random_waits_and_changes_lose_no_read()
    {
        Random random = new(5);
        Dictionary<ClientRequest, string> model = [];
        for (int step = 0; step < 20_000; step++)
        {
            string key = $"/{random.Next(20)}";
            woken.Clear();
            switch (random.Next(4))
            {
                case 0:
                    reads.Take(Encoding.ASCII.GetBytes(key), woken);
                    Assert.Equal(model.Count(pair => pair.Value == key), woken.Count);
                    break;
                case 1 when random.Next(20) == 0:
                    reads.TakeDue(step, woken);
                    Assert.Equal(model.Count(pair => pair.Key.WaitUntil <= step), woken.Count);
                    break;
                default:
                    model.Add(Add(key, until: step + random.Next(1000)), key);
                    break;
            }
            Assert.All(woken, request => Assert.True(model.Remove(request)));
            Assert.Equal(model.Count, reads.Count);
        }
    }

    private ClientRequest Add(string key, long until = 1000)
    {
        ClientRequest request = new(this);
        request.Begin();
        request.BeginGet(Encoding.ASCII.GetBytes(key));
        request.WaitUntil = until;
        reads.Add(request);
        return request;
    }
}
