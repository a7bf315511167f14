using System.Collections.Concurrent;
using System.Text;

namespace RaftFast.Http.Tests;

/// <summary>A front whose requests wait for the test to complete them.</summary>
internal sealed class ManualServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<ClientRequest> submitted = new();

    public ManualServer(HttpLimits? limits = null) => Front = new HttpFront(submitted.Enqueue, limits ?? new HttpLimits(), Time);

    public ManualTime Time { get; } = new();

    public HttpFront Front { get; }

    /// <summary>Requests that were submitted and not yet taken.</summary>
    public int Waiting => submitted.Count;

    public static string Put(string key, string value) =>
        $"PUT {key} HTTP/1.1\r\nHost: h\r\nContent-Length: {value.Length}\r\n\r\n{value}";

    public static string Get(string key) => $"GET {key} HTTP/1.1\r\nHost: h\r\n\r\n";

    public static string KeyOf(ClientRequest request) => Encoding.Latin1.GetString(request.Key);

    /// <summary>The next request, once it has been submitted.</summary>
    public async Task<ClientRequest> TakeAsync()
    {
        ClientRequest? request = null;
        await Eventually.TrueAsync(() => submitted.TryDequeue(out request));
        return request!;
    }

    /// <summary>Lets time go by until <paramref name="task"/> has ended.</summary>
    public Task PassTimeUntilAsync(Task task) => Eventually.TrueAsync(() =>
    {
        Time.Advance(CoarseClock.Period);
        return task.IsCompleted;
    });

    public ValueTask DisposeAsync() => Front.DisposeAsync();
}
