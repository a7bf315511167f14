using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.EndToEnd.Tests.Tour;

namespace RaftFast.EndToEnd.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--id", "--id", "0")]
    [InlineData("--id", "--id", "one")]
    [InlineData("--id", "--id", "-1")]
    [InlineData("--id", "--id", "2")]
    [InlineData("--id", "--id")]
    [InlineData("--cluster", "--cluster", "nonsense")]
    [InlineData("--cluster", "--cluster", "ftp://127.0.0.1:9021")]
    [InlineData("--cluster", "--cluster", "http://127.0.0.1:9021/path")]
    [InlineData("--cluster", "--cluster", "http://127.0.0.1:9021,")]
    [InlineData("--cluster", "--cluster", "http://127.0.0.1:9021,http://127.0.0.1:9021")]
    [InlineData("--port", "--port", "65536")]
    [InlineData("--port", "--port", "http")]
    [InlineData("--listen", "--listen", "300.1.1.1")]
    [InlineData("--data-dir", "--data-dir", "")]
    [InlineData("--join", "--join", "--id", "4")]
    [InlineData("--snapshot-every", "--snapshot-every", "0")]
    [InlineData("--snapshot-every", "--snapshot-every", "12MB")]
    [InlineData("--snapshot-rate", "--snapshot-rate", "100")]
    [InlineData("--output", "backup")]
    [InlineData("--input", "restore", "--data-dir", "a")]
    [InlineData("--id", "restore", "--input", "a", "--id", "2")]
    [InlineData("--nonsense", "inspect", "--nonsense")]
    [InlineData("--nonsense", "--nonsense")]
    [InlineData("stray", "stray")]
    public void A_bad_flag_is_one_line_that_names_it_and_exit_2(string named, params string[] flags)
    {
        using TemporaryDirectory directory = new();
        using ServerProcess process = ServerProcess.StartIn(directory.Location, flags);
        Assert.True(process.WaitForExit() == 2, process.ToString());
        Assert.Contains(named, Complaint.Single(process), StringComparison.Ordinal);
        Assert.Single(process.Lines);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Location));
    }

    [Fact]
    public void Help_names_every_flag_that_the_README_explains_and_no_other()
    {
        using ServerProcess process = ServerProcess.Start("--help");
        Assert.True(process.WaitForExit() == 0, process.ToString());
        Assert.Equal(Readme.Flags(), Readme.FlagsIn(string.Join('\n', process.Output)));
        Assert.Empty(process.Lines);
    }

    [Fact]
    public void Version_is_one_line()
    {
        using ServerProcess process = ServerProcess.Start("--version");
        Assert.True(process.WaitForExit() == 0, process.ToString());
        Assert.Matches(@"^raftfast \d+\.\d+\.\d+", Assert.Single(process.Output));
        Assert.Empty(process.Lines);
    }
}
