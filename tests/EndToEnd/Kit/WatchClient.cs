using System.Net;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>A client of Server-Sent Events (the HTML standard, section 9.2), as far as watches use them.</summary>
internal sealed class WatchClient : IDisposable
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false })
    {
        Timeout = HttpConnection.AnswerTimeout,
    };

    private readonly HttpResponseMessage response;
    private readonly StreamReader reader;

    private WatchClient(HttpResponseMessage response)
    {
        this.response = response;
        reader = new StreamReader(response.Content.ReadAsStream());
    }

    public int Status => (int)response.StatusCode;

    public string? ContentType => response.Content.Headers.ContentType?.ToString();

    /// <summary>Id that the client would send when it connects again; null before the first.</summary>
    public string? LastId { get; private set; }

    /// <summary>Lines that are comments.</summary>
    public int Comments { get; private set; }

    /// <param name="query">Parameters, with the '?'.</param>
    public static WatchClient Open(ClusterNode node, string query, string? lastEventId = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, node.ApiUrl($"/v1/watch{query}"))
        {
            Version = HttpVersion.Version11,
        };
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        return new WatchClient(Http.Send(request, HttpCompletionOption.ResponseHeadersRead));
    }

    /// <returns>The next event; null at the end of the stream, which drops an event that is not whole.</returns>
    public WatchEvent? Next()
    {
        using CancellationTokenSource late = new(HttpConnection.AnswerTimeout);
        string type = "message";
        string data = "";
        while (reader.ReadLineAsync(late.Token).AsTask().GetAwaiter().GetResult() is { } line)
        {
            if (line.Length == 0 && data.Length > 0)
                return new WatchEvent(type, LastId, data);
            if (line.StartsWith(':'))
                Comments++;
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                type = line[7..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
                LastId = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line[6..];
            else
                Assert.Equal("", line);
        }
        return null;
    }

    public string ReadToEnd() => reader.ReadToEnd();

    /// <summary>Breaks the connection off.</summary>
    public void Dispose()
    {
        response.Dispose();
        reader.Dispose();
    }
}

internal sealed record WatchEvent(string Type, string? Id, string Data);
