using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace RaftFast.Http.Tests;

/// <summary>
/// The client's end of a connection that is a pair of pipes in memory. Sending runs the connection's parser on the
/// sender's thread.
/// </summary>
internal sealed class PipeClient
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly Pipe toServer;
    private readonly Pipe toClient;
    private readonly StringBuilder received = new();

    public PipeClient(HttpFront front, long pauseWriterThreshold = 1 << 16, int segmentBytes = 64)
    {
        PipeOptions options = new(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: pauseWriterThreshold, resumeWriterThreshold: pauseWriterThreshold / 2,
            minimumSegmentSize: segmentBytes, useSynchronizationContext: false);
        toServer = new Pipe(options);
        toClient = new Pipe(options);
        Context = new DefaultConnectionContext(
            "test", new Duplex(toServer.Reader, toClient.Writer), new Duplex(toClient.Reader, toServer.Writer));
        Closed = front.OnConnectedAsync(Context);
    }

    public DefaultConnectionContext Context { get; }

    /// <summary>Ends when the front has closed the connection.</summary>
    public Task Closed { get; }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) =>
        await toServer.Writer.WriteAsync(bytes).AsTask().WaitAsync(Deadline);

    /// <summary>Sends without waiting. Returns false if the front did not take all bytes at once.</summary>
    public bool SendNow(ReadOnlyMemory<byte> bytes)
    {
        ValueTask<FlushResult> flush = toServer.Writer.WriteAsync(bytes);
        return flush.IsCompleted && !flush.Result.IsCompleted;
    }

    /// <summary>Drops the bytes that have arrived, and returns their number.</summary>
    public int DropNow()
    {
        if (!toClient.Reader.TryRead(out ReadResult result))
            return 0;
        int length = (int)result.Buffer.Length;
        toClient.Reader.AdvanceTo(result.Buffer.End);
        return length;
    }

    public ValueTask EndAsync() => toServer.Writer.CompleteAsync();

    /// <summary>Ends both pipes as a reset connection does.</summary>
    public async Task ResetAsync()
    {
        await toServer.Writer.CompleteAsync(new ConnectionResetException("reset"));
        await toClient.Reader.CompleteAsync(new ConnectionResetException("reset"));
    }

    /// <summary>Receives until the front closes the connection. Dates are replaced by D.</summary>
    public async Task<string> ReceiveAllAsync()
    {
        while (await ReceiveSomeAsync())
        {
        }
        await Closed.WaitAsync(Deadline);
        return Answers.WithoutDates(received.ToString());
    }

    /// <summary>
    /// Receives up to and including the next <paramref name="end"/>, and returns the text up to there.
    /// </summary>
    public async Task<string> ReceiveAsync(string end)
    {
        string answers;
        while (!(answers = Answers.WithoutDates(received.ToString())).Contains(end, StringComparison.Ordinal))
            Assert.True(await ReceiveSomeAsync(), $"the connection closed after: {received}");
        int length = answers.IndexOf(end, StringComparison.Ordinal) + end.Length;
        received.Clear().Append(answers[length..]);
        return answers[..length];
    }

    /// <summary>Returns the text that has arrived, without waiting.</summary>
    public string ReceiveNow()
    {
        while (toClient.Reader.TryRead(out ReadResult result))
        {
            received.Append(Encoding.Latin1.GetString(result.Buffer));
            toClient.Reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                break;
        }
        string text = received.ToString();
        received.Clear();
        return Answers.WithoutDates(text);
    }

    private async Task<bool> ReceiveSomeAsync()
    {
        ReadResult result = await toClient.Reader.ReadAsync().AsTask().WaitAsync(Deadline);
        received.Append(Encoding.Latin1.GetString(result.Buffer));
        toClient.Reader.AdvanceTo(result.Buffer.End);
        return !result.IsCompleted;
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
