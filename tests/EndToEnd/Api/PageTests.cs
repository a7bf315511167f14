using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Playwright;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>The status page in a real browser: Debian's Chromium, driven by Playwright.</summary>
public sealed class PageTests
{
    private const string Chromium = "/usr/bin/chromium";

    /// <summary>Folder that gets the two pictures of the documents; else they go to a temporary one.</summary>
    private const string PicturesVariable = "RAFTFAST_PICTURES";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan PollPeriod = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task Page_shows_the_members_follows_a_leader_s_end_and_says_when_its_node_is_gone()
    {
        Assert.SkipUnless(File.Exists(Chromium), "Chromium is not installed: apt-get install chromium");
        using Cluster cluster = Cluster.StartWithApi(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode watched = cluster.Others(leader).First();
        using Writer writer = new(1, cluster.Nodes);
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args = ["--no-sandbox"],
        });
        Visit atLeader = await Visit.OpenAsync(browser, leader, ColorScheme.Light, width: 1200);
        Visit atFollower = await Visit.OpenAsync(browser, watched, ColorScheme.Dark, width: 360);

        // Three members, each with its role and a link to its page.
        await atLeader.WaitForAsync("document.querySelectorAll('#rows tr').length === 3");
        await atFollower.WaitForAsync("document.querySelectorAll('#rows tr').length === 3");
        await atFollower.WaitForAsync($"document.querySelector('#row-{leader.Id} .role').textContent === 'leader'");
        await atFollower.WaitForAsync(
            $"document.querySelector('#row-{leader.Id} a').href === '{leader.ApiUrl("/")}'");

        // Charts move.
        await atLeader.WaitForAsync("document.querySelectorAll('canvas').length === 4");
        string picture = await atLeader.ChartsAsync();
        await atLeader.WaitForAsync($"Number(document.querySelector('.key.a').textContent.match(/[0-9]+/)) > 0");
        await atLeader.WaitForAsync(
            "before => [...document.querySelectorAll('canvas')].map(c => c.toDataURL()).join() !== before", picture);

        // No line is wider than the narrow window, and the keyboard reaches every control.
        Assert.Equal(360, await atFollower.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await atLeader.Page.Keyboard.PressAsync("Tab");
        Assert.Equal(
            "Skip to the members", await atLeader.Page.EvaluateAsync<string>("document.activeElement.textContent"));
        await atLeader.Page.Keyboard.PressAsync("Tab");
        await atLeader.Page.Keyboard.PressAsync("Enter");
        await atLeader.WaitForAsync("document.querySelector('#pause').getAttribute('aria-pressed') === 'true'");
        await atLeader.Page.Keyboard.PressAsync("Enter");

        await atLeader.WaitForAsync("times.length >= 8");
        string pictures = Environment.GetEnvironmentVariable(PicturesVariable) ?? Path.GetTempPath();
        await atLeader.TakePictureAsync(Path.Combine(pictures, "page-light.png"));
        await atFollower.TakePictureAsync(Path.Combine(pictures, "page-dark.png"));
        await atLeader.Page.CloseAsync();
        atLeader.AssertSilent();

        // A leader's end.
        leader.Kill();
        long killed = Stopwatch.GetTimestamp();
        await atFollower.WaitForAsync(
            $"[...document.querySelectorAll('.role.leader')].some(r => !r.closest('tr').matches('#row-{leader.Id}'))");
        Assert.InRange(Stopwatch.GetElapsedTime(killed), TimeSpan.Zero, TimeSpan.FromSeconds(3));
        await atFollower.WaitForAsync("/leads term/.test(document.querySelector('#feed').textContent)");
        await atFollower.WaitForAsync(
            $"/Not connected/.test(document.querySelector('#row-{leader.Id}').textContent)");
        atFollower.AssertSilent();

        // The end of the watched node itself, and its return. The browser reports each failed request.
        watched.Kill();
        await atFollower.WaitForAsync("/does not answer since/.test(document.querySelector('#state').textContent)");
        leader.Restart();
        watched.Restart();
        await atFollower.WaitForAsync("!/does not answer/.test(document.querySelector('#state').textContent)");
        await atFollower.WaitForAsync("/answers again/.test(document.querySelector('#feed').textContent)");
        atFollower.AssertOnlyAsks(watched);
    }

    /// <summary>One open page, with its requests and its complaints.</summary>
    private sealed class Visit(IPage page)
    {
        // The browser's thread adds while the test reads.
        private readonly ConcurrentQueue<string> complaints = new();
        private readonly ConcurrentQueue<string> requests = new();

        public IPage Page => page;

        public static async Task<Visit> OpenAsync(IBrowser browser, ClusterNode node, ColorScheme scheme, int width)
        {
            IPage page = await browser.NewPageAsync(new()
            {
                ColorScheme = scheme,
                ViewportSize = new() { Width = width, Height = 900 },
            });
            Visit visit = new(page);
            page.Console += (_, message) =>
            {
                if (message.Type is "error" or "warning")
                    visit.complaints.Enqueue(message.Text);
            };
            page.PageError += (_, error) => visit.complaints.Enqueue(error);
            page.Request += (_, request) => visit.requests.Enqueue(request.Url);
            IResponse? answer = await page.GotoAsync(node.ApiUrl("/"));
            Assert.Equal(200, answer!.Status);
            Assert.Contains(
                "default-src 'none'", answer.Headers["content-security-policy"], StringComparison.Ordinal);
            visit.AssertOnlyAsks(node);
            return visit;
        }

        /// <summary>
        /// Asks until the condition holds. Playwright's own wait evaluates in the page, which its policy forbids.
        /// </summary>
        public async Task WaitForAsync(string condition, object? argument = null)
        {
            long began = Stopwatch.GetTimestamp();
            while (!await page.EvaluateAsync<bool>(condition, argument))
            {
                if (Stopwatch.GetElapsedTime(began) > Patience)
                {
                    string text = await page.InnerTextAsync("body");
                    Assert.Fail($"not within {Patience}: {condition}; the page says {text}");
                }
                await Task.Delay(PollPeriod);
            }
        }

        public Task<string> ChartsAsync() => page.EvaluateAsync<string>(
            "[...document.querySelectorAll('canvas')].map(c => c.toDataURL()).join()");

        public async Task TakePictureAsync(string path)
        {
            await page.ScreenshotAsync(new() { Path = path, FullPage = true });
            Assert.True(new FileInfo(path).Length > 10_000, path);
        }

        public void AssertSilent() => Assert.Empty(complaints);

        public void AssertOnlyAsks(ClusterNode node)
        {
            Assert.NotEmpty(requests);
            Assert.All(requests, url => Assert.StartsWith(node.ApiUrl("/"), url, StringComparison.Ordinal));
        }
    }
}
