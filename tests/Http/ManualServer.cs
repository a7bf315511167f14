using System.Collections.Concurrent;
using System.Text;

namespace RaftFast.Http.Tests;

/// <summary>A front whose requests the test itself completes.</summary>
internal sealed class ManualServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<ClientRequest> submitted = new();

    public ManualServer(HttpLimits? limits = null) =>
        Front = new HttpFront(submitted.Enqueue, limits ?? new HttpLimits(), Time);

    public ManualTime Time { get; } = new();

    public HttpFront Front { get; }

    /// <summary>Number of requests that were submitted and not yet taken by the test.</summary>
    public int Waiting => submitted.Count;

    public static string Put(string key, string value) =>
        $"PUT {key} HTTP/1.1\r\nHost: h\r\nContent-Length: {value.Length}\r\n\r\n{value}";

    public static string Get(string key) => $"GET {key} HTTP/1.1\r\nHost: h\r\n\r\n";

    public static string KeyOf(ClientRequest request) => Encoding.Latin1.GetString(request.Key);

    /// <summary>Waits for the next submitted request and takes it.</summary>
    public async Task<ClientRequest> TakeAsync()
    {
        ClientRequest? request = null;
        await Eventually.TrueAsync(() => submitted.TryDequeue(out request));
        return request!;
    }

    /// <summary>Advances the time until <paramref name="task"/> has ended.</summary>
    public Task PassTimeUntilAsync(Task task) => Eventually.TrueAsync(() =>
    {
        Time.Advance(CoarseClock.Period);
        return task.IsCompleted;
    });

    public ValueTask DisposeAsync() => Front.DisposeAsync();
}
