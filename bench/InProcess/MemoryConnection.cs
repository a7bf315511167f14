using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Connections;
using RaftFast.Http;

namespace RaftFast.Bench.InProcess;

/// <summary>
/// A client's connection that is a pair of pipes in memory. The writing thread runs the reader's code, as in the socket
/// transport: requests are parsed on the client's thread.
/// </summary>
internal sealed class MemoryConnection : IDisposable
{
    private readonly Pipe toServer = new(Options);
    private readonly Pipe toClient = new(Options);
    private readonly ManualResetEventSlim hasArrived = new();
    private readonly Action onArrived;
    private readonly Task served;
    private readonly byte[] answers = new byte[64 * 1024];

    public MemoryConnection(HttpFront front)
    {
        onArrived = hasArrived.Set;
        Duplex near = new(toServer.Reader, toClient.Writer);
        Duplex far = new(toClient.Reader, toServer.Writer);
        DefaultConnectionContext context = new("bench", near, far);
        served = front.OnConnectedAsync(context);
    }

    private static PipeOptions Options => new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);

    /// <summary>Sends requests, and blocks until each is answered with this status.</summary>
    /// <param name="status">Beginning of the status line: "HTTP/1.1 204".</param>
    /// <exception cref="InvalidOperationException">An answer has another status.</exception>
    public void Exchange(ReadOnlySpan<byte> requests, int count, ReadOnlySpan<byte> status)
    {
        toServer.Writer.Write(requests);
        ValueTask<FlushResult> flush = toServer.Writer.FlushAsync();
        if (!flush.IsCompletedSuccessfully || flush.Result.IsCompleted)
            throw new InvalidOperationException("the front does not take the requests");
        int length = 0;
        int read = 0;
        while (count > 0)
        {
            length += Receive(answers.AsSpan(length));
            for (int answer; (answer = LengthOfFirst(answers.AsSpan(read, length - read))) > 0; count--)
            {
                if (!answers.AsSpan(read).StartsWith(status))
                    throw new InvalidOperationException(Encoding.ASCII.GetString(answers.AsSpan(read, answer)));
                read += answer;
            }
        }
    }

    /// <returns>Bytes of the first answer with its body; 0 while it is incomplete.</returns>
    private static int LengthOfFirst(ReadOnlySpan<byte> received)
    {
        int head = received.IndexOf("\r\n\r\n"u8) + 4;
        if (head < 4)
            return 0;
        int field = received[..head].IndexOf("Content-Length: "u8);
        int body = 0;
        if (field >= 0 && !Utf8Parser.TryParse(received[(field + "Content-Length: ".Length)..head], out body, out _))
            throw new InvalidOperationException("the answer has a malformed Content-Length");
        return received.Length < head + body ? 0 : head + body;
    }

    public void Dispose()
    {
        toServer.Writer.Complete();
        served.Wait();
        hasArrived.Dispose();
    }

    /// <summary>
    /// Receives bytes, or blocks until some arrive. This wait allocates nothing, unlike a wait for a Task.
    /// </summary>
    private int Receive(Span<byte> destination)
    {
#pragma warning disable CA2012 // The operation is kept as its awaiter, and its result is taken once.
        ValueTaskAwaiter<ReadResult> read = toClient.Reader.ReadAsync().GetAwaiter();
#pragma warning restore CA2012
        if (!read.IsCompleted)
        {
            hasArrived.Reset();
            read.UnsafeOnCompleted(onArrived);
            hasArrived.Wait();
        }
        ReadResult result = read.GetResult();
        if (result.IsCompleted)
            throw new InvalidOperationException("the front has closed the connection");
        ReadOnlySequence<byte> received = result.Buffer;
        int length = (int)received.Length;
        received.CopyTo(destination);
        toClient.Reader.AdvanceTo(received.End);
        return length;
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
