using System.Diagnostics;
using System.Text;

namespace RaftFast.Http.Tests;

/// <summary>Requests that a person types, sent by curl itself.</summary>
public sealed class CurlTests : IDisposable
{
    private readonly Store store = new();

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task Value_comes_back()
    {
        await using SocketServer server = await StartAsync();
        Assert.Equal("204", await CurlAsync(server, "/my-key", "", "-XPUT", "-d", "hello", "-w", "%{http_code}"));
        Assert.Equal(
            "hello200 text/plain; charset=utf-8",
            await CurlAsync(server, "/my-key", "", "-w", "%{http_code} %{content_type}"));
        Assert.Equal("Failed to GET\n404", await CurlAsync(server, "/other", "", "-w", "%{http_code}"));
    }

    [Fact]
    public async Task Head_has_no_body()
    {
        await using SocketServer server = await StartAsync();
        string answer = Answers.WithoutDates(await CurlAsync(server, "/my-key", "", "--head"));
        Assert.Equal(Answers.NotFound.Replace("Failed to GET\n", "", StringComparison.Ordinal), answer);
    }

    [Fact]
    public async Task Large_value_is_asked_for_and_comes_back()
    {
        await using SocketServer server = await StartAsync();
        string value = string.Concat(Enumerable.Repeat("0123456789abcdef", 65536));
        string answers = await CurlAsync(
            server, "/big", value, "-XPUT", "--data-binary", "@-", "-H", "Expect: 100-continue",
            "--expect100-timeout", "20", "-i");
        Assert.Equal(Answers.Continue + Answers.NoContent, Answers.WithoutDates(answers));
        Assert.Equal(value, await CurlAsync(server, "/big", ""));
    }

    [Fact]
    public async Task Value_that_is_too_large_is_refused_without_being_sent()
    {
        await using SocketServer server = await StartAsync();
        string answers = await CurlAsync(
            server, "/big", new string('x', (1 << 20) + 1), "-XPUT", "--data-binary", "@-",
            "-H", "Expect: 100-continue", "--expect100-timeout", "20", "-i", "-w", "%{size_upload}");
        Assert.Equal(Answers.Refused(Refusal.BodySize) + "0", Answers.WithoutDates(answers));
    }

    [Fact]
    public async Task Value_may_be_uploaded_in_chunks()
    {
        await using SocketServer server = await StartAsync();
        string value = new('c', 300_000);
        string status = await CurlAsync(
            server, "/chunks", value, "-T", "-", "-H", "Transfer-Encoding: chunked", "-w", "%{http_code}");
        Assert.Equal("204", status);
        Assert.Equal(value, await CurlAsync(server, "/chunks", ""));
    }

    [Fact]
    public async Task Old_version_is_spoken()
    {
        await using SocketServer server = await StartAsync();
        Assert.Equal(
            "204", await CurlAsync(server, "/old", "", "--http1.0", "-XPUT", "-d", "hello", "-w", "%{http_code}"));
        Assert.Equal("hello", await CurlAsync(server, "/old", "", "--http1.0"));
    }

    [Fact]
    public async Task Members_are_added_and_removed()
    {
        await using SocketServer server = await StartAsync();
        string[] post = ["-d", "http://127.0.0.1:9024", "-w", "%{http_code}"];
        string[] delete = ["-XDELETE", "-w", "%{http_code}"];
        Assert.Equal("204", await CurlAsync(server, "/4", "", post));
        Assert.Equal("204", await CurlAsync(server, "/4", "", delete));
        Assert.Equal("Failed on POST\n400", await CurlAsync(server, "/four", "", post));
        Assert.Equal("Failed on DELETE\n400", await CurlAsync(server, "/four", "", delete));
        Assert.Equal(["add 4 http://127.0.0.1:9024", "remove 4"], store.Changes);
    }

    private async Task<SocketServer> StartAsync() =>
        await SocketServer.StartAsync(
            new HttpFront(store.Submit, new HttpLimits(), TimeProvider.System), isInline: true);

    private static async Task<string> CurlAsync(
        SocketServer server, string target, string input, params string[] arguments)
    {
        ProcessStartInfo start = new("curl")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = Encoding.Latin1,
            StandardOutputEncoding = Encoding.Latin1,
        };
        string url = $"http://127.0.0.1:{server.Port}{target}";
        foreach (string argument in (string[])["-sS", "--max-time", "20", "--path-as-is", .. arguments, url])
            start.ArgumentList.Add(argument);
        Process? started = null;
        try
        {
            started = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("curl is not installed: install it to run this test");
        }
        using Process curl = started!;
        Task<string> output = curl.StandardOutput.ReadToEndAsync();
        try
        {
            await curl.StandardInput.WriteAsync(input);
            curl.StandardInput.Close();
        }
        catch (IOException)
        {
            // The request was refused, and curl exited before it had read all its input.
        }
        string answer = await output;
        await curl.WaitForExitAsync();
        return answer;
    }
}
