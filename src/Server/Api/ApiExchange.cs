using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace RaftFast.Server.Api;

/// <summary>One request of the API and its answer, over Kestrel's features.</summary>
internal sealed class ApiExchange
{
    /// <summary>Nothing of an answer may run, be framed or load anything. The page has a policy of its own.</summary>
    private const string NothingPolicy = "default-src 'none'; frame-ancestors 'none'";

    private readonly IFeatureCollection features;
    private readonly IHttpRequestFeature request;
    private readonly IHttpResponseFeature response;
    private readonly IHttpResponseBodyFeature body;
    private readonly IHttpRequestLifetimeFeature? lifetime;

    public ApiExchange(IFeatureCollection features)
    {
        this.features = features;
        request = features.GetRequiredFeature<IHttpRequestFeature>();
        response = features.GetRequiredFeature<IHttpResponseFeature>();
        body = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        lifetime = features.Get<IHttpRequestLifetimeFeature>();
        Aborted = lifetime?.RequestAborted ?? CancellationToken.None;
    }

    public string Method => request.Method;

    /// <summary>Decoded path of the target.</summary>
    public string Path => request.Path;

    /// <summary>True once the head of the answer is sent.</summary>
    public bool HasBegun => response.HasStarted;

    /// <summary>Cancelled when the client has gone.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>The query as the client sent it, with its '?'; empty if there is none.</summary>
    public string Query => request.QueryString;

    /// <summary>Bytes of the request's body; null if the client does not say.</summary>
    public long? ContentLength => request.Headers.ContentLength;

    public Stream Body => body.Stream;

    public PipeWriter Writer => body.Writer;

    /// <summary>Breaks the connection off: the client sees that the answer is not complete.</summary>
    public void Abort() => lifetime?.Abort();

    public Task CompleteAsync() => body.CompleteAsync();

    /// <returns>The header's value, several lines joined; null if there is none.</returns>
    public string? Header(string name) =>
        request.Headers.TryGetValue(name, out StringValues value) ? value.ToString() : null;

    public void SetHeader(string name, string value) => response.Headers[name] = value;

    /// <summary>Value of a parameter of the query; null if there is none or more than one.</summary>
    public string? Parameter(string name)
    {
        string? value = null;
        foreach (QueryStringEnumerable.EncodedNameValuePair pair in new QueryStringEnumerable(request.QueryString))
        {
            if (!pair.DecodeName().Span.SequenceEqual(name))
                continue;
            if (value is not null)
                return null;
            value = pair.DecodeValue().ToString();
        }
        return value;
    }

    public bool HasParameter(string name)
    {
        foreach (QueryStringEnumerable.EncodedNameValuePair pair in new QueryStringEnumerable(request.QueryString))
        {
            if (pair.DecodeName().Span.SequenceEqual(name))
                return true;
        }
        return false;
    }

    /// <returns>Name of the first parameter other than <paramref name="known"/>; null if there is none.</returns>
    public string? UnknownParameter(string? known)
    {
        foreach (QueryStringEnumerable.EncodedNameValuePair pair in new QueryStringEnumerable(request.QueryString))
        {
            string name = pair.DecodeName().ToString();
            if (name != known)
                return name;
        }
        return null;
    }

    /// <summary>Body of the request. A body of more than <paramref name="bytesMax"/> bytes ends with 413.</summary>
    public Stream RequestBody(long bytesMax)
    {
        features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = bytesMax;
        return request.Body;
    }

    /// <summary>Sends the head of the answer; the body follows in <see cref="Body"/>.</summary>
    /// <param name="length">Bytes of the body; null if not known.</param>
    public async Task BeginAsync(int status, string contentType, long? length)
    {
        response.StatusCode = status;
        SetHeader("Content-Type", contentType);
        SetHeader("X-Content-Type-Options", "nosniff");
        SetHeader("Referrer-Policy", "no-referrer");
        response.Headers.TryAdd("Cache-Control", "no-store");
        response.Headers.TryAdd("Content-Security-Policy", NothingPolicy);
        response.Headers.ContentLength = length;
        await body.StartAsync(Aborted);
    }

    public async Task SendAsync(int status, string contentType, ReadOnlyMemory<byte> content)
    {
        await BeginAsync(status, contentType, content.Length);
        if (Method != "HEAD")
            await Body.WriteAsync(content, Aborted);
        await body.CompleteAsync();
    }

    public Task SendJsonAsync<T>(T value, JsonTypeInfo<T> type) =>
        SendAsync(200, "application/json", JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Answers with a problem (RFC 9457).</summary>
    /// <param name="detail">The fault, and its remedy.</param>
    /// <param name="index"><inheritdoc cref="Problem" path="/param[@name='Index']"/></param>
    /// <param name="part"><inheritdoc cref="Problem" path="/param[@name='Part']"/></param>
    public Task RefuseAsync(int status, string detail, long? index = null, int? part = null)
    {
        if (status == 503)
            SetHeader("Retry-After", "1");
        Problem problem = new("about:blank", ReasonPhrases.GetReasonPhrase(status), status, detail, index, part);
        return SendAsync(
            status, "application/problem+json", JsonSerializer.SerializeToUtf8Bytes(problem, ApiJson.Default.Problem));
    }

    public Task RefuseMethodAsync(string allowed)
    {
        SetHeader("Allow", allowed);
        return RefuseAsync(405, $"{Path} does not take {Method}: send {allowed}.");
    }
}
