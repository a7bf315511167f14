using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;

namespace RaftFast.Server.Api;

/// <summary>The API's requests, from Kestrel to their handlers: a switch over the paths.</summary>
internal sealed class ApiApplication(AccessPolicy access) : IHttpApplication<ApiExchange>
{
    private const string Paths = "/livez, /readyz, /metrics";

    private const string Starting = "The node starts: try again.";

    private volatile ApiNode? node;

    public void Attach(ApiNode attached) => node = attached;

    public ApiExchange CreateContext(IFeatureCollection contextFeatures) => new(contextFeatures);

    public async Task ProcessRequestAsync(ApiExchange context)
    {
        // Sockets complete on the threads that serve the clients of the first door: none of these waits for a handler.
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
            "/livez" => Get(exchange, static (exchange, node) => Health.LiveAsync(exchange, node)),
            "/readyz" => Get(exchange, static (exchange, node) => Health.ReadyAsync(exchange, node)),
            "/metrics" => Get(exchange, MetricsAsync),
            _ => exchange.RefuseAsync(404, $"There is no {exchange.Path} here; the API has {Paths}. Keys are at the "
                + "other port, of --port."),
        };
    }

    private static async Task MetricsAsync(ApiExchange exchange, ApiNode? node)
    {
        if (node is null)
        {
            await exchange.RefuseAsync(503, Starting);
            return;
        }
        byte[] text = Metrics.Render(await node.ObserveAsync(), node.Front.Answered, node.DataDirectory);
        await exchange.SendAsync(200, PrometheusText.ContentType, text);
    }

    private Task Get(ApiExchange exchange, Func<ApiExchange, ApiNode?, Task> handler)
    {
        if (exchange.Method is not ("GET" or "HEAD"))
            return exchange.RefuseMethodAsync("GET, HEAD");
        if (exchange.UnknownParameter(known: null) is { } unknown)
        {
            return exchange.RefuseAsync(
                400, $"{exchange.Path} has no parameter '{unknown}': send the request without it.");
        }
        return handler(exchange, node);
    }

    /// <summary>The rules of the first door for pages of other sites (<see cref="AccessPolicy"/>).</summary>
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
