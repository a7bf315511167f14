using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Recovery;

namespace RaftFast.Server.Api;

/// <summary>
/// The API's requests, from Kestrel to their handlers: a switch over the paths. Until <see cref="Attach"/> the node
/// starts: most paths refuse, and the others tell how far the start is.
/// </summary>
internal sealed class ApiApplication(AccessPolicy access, StartProgress start, string dataDirectory)
    : IHttpApplication<ApiExchange>
{
    private const string Paths =
        "/, /livez, /readyz, /metrics, /v1/status, /v1/members, /v1/keys, /v1/watch, /v1/hash, /v1/txn (POST), "
        + "/v1/leader (POST) and /v1/backup";

    private volatile ApiNode? node;

    public void Attach(ApiNode attached) => node = attached;

    public ApiExchange CreateContext(IFeatureCollection contextFeatures) => new(contextFeatures);

    public async Task ProcessRequestAsync(ApiExchange context)
    {
        // Sockets complete on the threads that serve the client port. The handler continues on the thread pool, so that
        // none of these threads waits for it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await ServeAsync(context);
        }
        catch (InvariantException bug)
        {
            FatalError.Exit(bug);
        }
        catch (LoopSilentException silent)
        {
            await context.RefuseAsync(503, silent.Message);
        }
        catch (BadHttpRequestException wrong) when (!context.HasBegun)
        {
            await context.RefuseAsync(wrong.StatusCode, $"The request can't be read: {wrong.Message}");
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or BadHttpRequestException)
        {
            // The client has gone, or sent nonsense after the answer had begun.
            if (!context.Aborted.IsCancellationRequested)
                context.Abort();
        }
    }

    public void DisposeContext(ApiExchange context, Exception? exception)
    {
    }

    private Task ServeAsync(ApiExchange exchange)
    {
        if (Refuses(exchange, out int status, out string reason))
            return exchange.RefuseAsync(status, reason);
        return exchange.Path switch
        {
            "/livez" => Serve(exchange, Read, null, Health.LiveAsync),
            "/readyz" => Serve(exchange, Read, null, (exchange, node) => Health.ReadyAsync(exchange, node, start)),
            "/metrics" => Serve(exchange, Read, null, MetricsAsync),
            "/v1/status" => ServeRunning(exchange, Read, null, StatusAsync),
            "/v1/members" => ServeRunning(exchange, Read, null, MembersAsync),
            // KeyList reads the parameters itself.
            "/v1/keys" when !Takes(exchange, Read) => exchange.RefuseMethodAsync(Read),
            "/v1/keys" when node is { } running => running.Keys.SendAsync(exchange, running),
            "/v1/keys" => RefuseStartingAsync(exchange),
            // The watch reads its parameters itself.
            "/v1/watch" when !Takes(exchange, "GET") => exchange.RefuseMethodAsync("GET"),
            "/v1/watch" => node is { } running
                ? Watching.SendAsync(exchange, running.Watches) : RefuseStartingAsync(exchange),
            "/v1/txn" => ServeRunning(
                exchange, "POST", null, static (exchange, node) => node.Transactions.SendAsync(exchange)),
            // StateHashing reads its parameter itself.
            "/v1/hash" when !Takes(exchange, Read) => exchange.RefuseMethodAsync(Read),
            "/v1/hash" => node is { } running
                ? StateHashing.SendAsync(exchange, running) : RefuseStartingAsync(exchange),
            "/v1/leader" => ServeRunning(exchange, "POST", "to", Leadership.HandOverAsync),
            "/v1/backup" => ServeRunning(
                exchange, "GET", null, static (exchange, node) => node.Backup.SendAsync(exchange, node)),
            _ when PageFiles.Find(exchange.Path) is (string name, string type) => Serve(
                exchange, Read, null, (exchange, _) => PageFiles.SendAsync(exchange, name, type)),
            _ => exchange.RefuseAsync(404, $"There is no {exchange.Path} here; the API has {Paths}. Keys are at the "
                + "other port, of --port."),
        };
    }

    private const string Read = "GET, HEAD";

    /// <param name="methods">Methods of the path, as in Allow.</param>
    /// <param name="parameter">The only parameter of the path; null if it has none.</param>
    private Task Serve(
        ApiExchange exchange, string methods, string? parameter, Func<ApiExchange, ApiNode?, Task> handler)
    {
        if (!Takes(exchange, methods))
            return exchange.RefuseMethodAsync(methods);
        if (exchange.UnknownParameter(parameter) is { } unknown)
        {
            return exchange.RefuseAsync(
                400, $"{exchange.Path} has no parameter '{unknown}': send the request "
                + (parameter is null ? "without it." : $"with {parameter} alone, or without any."));
        }
        return handler(exchange, node);
    }

    private Task ServeRunning(
        ApiExchange exchange, string methods, string? parameter, Func<ApiExchange, ApiNode, Task> handler) =>
        Serve(exchange, methods, parameter, (exchange, node) => node is null
            ? RefuseStartingAsync(exchange)
            : handler(exchange, node));

    private static bool Takes(ApiExchange exchange, string methods) =>
        exchange.Method == methods || (methods == Read && exchange.Method is "GET" or "HEAD");

    private Task RefuseStartingAsync(ApiExchange exchange) =>
        exchange.RefuseAsync(503, $"The node starts: {start.Text}. Try again.");

    private async Task MetricsAsync(ApiExchange exchange, ApiNode? node)
    {
        byte[] text = node is null
            ? Metrics.RenderStart(start, dataDirectory)
            : Metrics.Render(await node.ObserveAsync(), node.Front.Answered, dataDirectory);
        await exchange.SendAsync(200, PrometheusText.ContentType, text);
    }

    private static async Task StatusAsync(ApiExchange exchange, ApiNode node)
    {
        StatusJson status = StatusJson.Of(
            await node.ObserveAsync(), node.Front.Answered, node.Announcement, node.Uptime);
        await exchange.SendJsonAsync(status, ApiJson.Default.StatusJson);
    }

    private static async Task MembersAsync(ApiExchange exchange, ApiNode node)
    {
        Observation seen = await node.ObserveAsync();
        MembersJson members = MembersJson.Of(seen, id => node.AnnouncementOf(id, seen.Node.Id));
        await exchange.SendJsonAsync(members, ApiJson.Default.MembersJson);
    }

    /// <summary>
    /// True if the client port's rules for pages of other sites refuse the request (<see cref="AccessPolicy"/>).
    /// </summary>
    private bool Refuses(ApiExchange exchange, out int status, out string reason)
    {
        AccessVerdict verdict = access.Judge(new AccessClaims
        {
            Authority = Encoding.UTF8.GetBytes(exchange.Header("Host") ?? ""),
            HasOrigin = exchange.Header("Origin") is not null,
            Origin = Encoding.UTF8.GetBytes(exchange.Header("Origin") ?? ""),
            FetchSite = Encoding.UTF8.GetBytes(exchange.Header("Sec-Fetch-Site") ?? ""),
            FetchMode = Encoding.UTF8.GetBytes(exchange.Header("Sec-Fetch-Mode") ?? ""),
            FetchDestination = Encoding.UTF8.GetBytes(exchange.Header("Sec-Fetch-Dest") ?? ""),
            OnlyReads = exchange.Method is "GET" or "HEAD",
        });
        (status, reason) = verdict switch
        {
            AccessVerdict.OtherHost => (421, "The Host names another server than this one: use this member's address "
                + "or name, or start the member with --allowed-host NAME."),
            AccessVerdict.OtherSite => (403, "A page of another site sent this request, and pages may only use the "
                + "site that they came from: use another client, or a page of this server."),
            _ => (0, ""),
        };
        return verdict != AccessVerdict.Passes;
    }
}
