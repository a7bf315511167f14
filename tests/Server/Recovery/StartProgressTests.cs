using RaftFast.Server.Logging;
using RaftFast.Server.Recovery;
using RaftFast.Server.Tests.Peers;

namespace RaftFast.Server.Tests.Recovery;

public sealed class StartProgressTests
{
    private const long Mebibyte = 1 << 20;

    private readonly HandSetTime time = new();
    private readonly StartProgress start;

    public StartProgressTests() => start = new StartProgress(time);

    [Fact]
    public void Step_names_what_is_done()
    {
        Assert.Equal("opening the data directory", start.Text);
        start.Begin("opening the ports");
        Assert.Equal("opening the ports", start.Text);
        Assert.Null(start.Snapshot);
        Assert.Null(start.Log);
    }

    [Fact]
    public void Recovery_tells_share_rest_and_bytes()
    {
        ProgressLine loading = start.BeginSnapshot("snapshot-1.snap");
        Assert.Equal("loading snapshot-1.snap", start.Text);
        loading.Next(0, 1024 * Mebibyte);
        Assert.Equal("loading snapshot-1.snap: 0 % done (0 KiB of 1.0 GiB)", start.Text);
        time.Now += TimeSpan.FromSeconds(2);
        loading.Next(412 * Mebibyte, 1024 * Mebibyte);
        Assert.Equal(
            "loading snapshot-1.snap: 40 % done, about 3 seconds left (412 MiB of 1.0 GiB)", start.Text);

        ProgressLine reading = start.BeginLog();
        Assert.Equal("reading the log", start.Text);
        reading.Next(0, 32 * Mebibyte);
        reading.Next(16 * Mebibyte, 32 * Mebibyte);
        Assert.Equal("reading the log: 50 % done, about a second left (16 MiB of 32 MiB)", start.Text);

        start.Begin("opening the ports");
        Assert.Equal("opening the ports", start.Text);
        Assert.Equal((loading, reading), (start.Snapshot, start.Log));
    }

    [Fact]
    public void Snapshot_before_a_damaged_one_begins_anew()
    {
        start.BeginSnapshot("snapshot-2.snap").Next(5, 10);
        start.BeginSnapshot("snapshot-1.snap");
        Assert.Equal((0, 0), (start.Snapshot!.Done, start.Snapshot.All));
    }
}
