using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>
/// One kept-alive HTTP/1.1 connection over a raw socket. HttpClient costs several times as much for each request, more
/// than the measured node does. The connection is opened for the first request. After a failure, a connection to the
/// target's next member is opened. A failed request is not repeated.
/// </summary>
/// <param name="first">Number of the first member to connect to, modulo the number of members.</param>
public sealed class Connection(Target target, int first) : IDisposable
{
    /// <summary>Environment variable that .NET reads when the process uses its first socket.</summary>
    internal const string InlineVariable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    private readonly byte[] received = new byte[2 * AnswerHead.BytesMax];
    private CancellationTokenSource timeout = new();
    private int member = first % target.Members.Count;
    private Socket? socket;

    /// <summary>
    /// Makes this process handle received bytes on the thread that polls the sockets, not on the thread pool. Handling
    /// bytes there gives about 40 % more requests a second. Call this method before the first socket is created.
    /// </summary>
    public static void CompleteInline() => Environment.SetEnvironmentVariable(InlineVariable, "1");

    /// <summary>Sends one request and receives its whole answer.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Response> ExchangeAsync(ReadOnlyMemory<byte> request)
    {
        timeout.CancelAfter(target.Timeout);
        Response response = Response.NoConnection;
        try
        {
            if (socket is null)
                await ConnectAsync();
            response = Response.ConnectionLost;
            for (int sent = 0; sent < request.Length;)
                sent += await socket!.SendAsync(request[sent..], timeout.Token);
            response = await ReceiveAsync();
        }
        catch (OperationCanceledException)
        {
            response = Response.TimedOut;
        }
        catch (SocketException)
        {
            // The response says which part failed.
        }
        EndAttempt(response);
        return response;
    }

    /// <summary>Connects, without a request.</summary>
    public async ValueTask<Response> OpenAsync()
    {
        Close();
        timeout.CancelAfter(target.Timeout);
        Response response = Response.NoConnection;
        try
        {
            await ConnectAsync();
            response = Response.Connected;
        }
        catch (OperationCanceledException)
        {
            response = Response.TimedOut;
        }
        catch (SocketException)
        {
            // The response is NoConnection.
        }
        EndAttempt(response);
        return response;
    }

    public void Close()
    {
        socket?.Dispose();
        socket = null;
    }

    /// <summary>Closes with a reset.</summary>
    public void Reset()
    {
        if (socket is not null)
            socket.LingerState = new LingerOption(true, 0);
        Close();
    }

    public void Dispose()
    {
        Close();
        timeout.Dispose();
    }

    /// <summary>Connects to the first member that accepts. A refused connection has carried no request.</summary>
    private async ValueTask ConnectAsync()
    {
        for (int refusals = 0; socket is null; refusals++)
        {
            IPEndPoint address = target.Members[member];
            Socket connecting = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await connecting.ConnectAsync(address, timeout.Token);
                socket = connecting;
            }
            catch (SocketException) when (refusals < target.Members.Count - 1)
            {
                connecting.Dispose();
                member = (member + 1) % target.Members.Count;
            }
            catch
            {
                connecting.Dispose();
                throw;
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Response> ReceiveAsync()
    {
        int length = 0;
        AnswerHead head;
        while (true)
        {
            int read = await socket!.ReceiveAsync(received.AsMemory(length), timeout.Token);
            length += read;
            AnswerStatus status = AnswerHead.TryRead(received.AsSpan(0, length), out head);
            if (status == AnswerStatus.Complete)
                break;
            if (status == AnswerStatus.Invalid || length == received.Length)
                return Response.Malformed;
            if (read == 0)
                return Response.ConnectionLost;
        }
        long missing = head.Length + head.BodyLength - length;
        if (missing < 0)
            return Response.Malformed;
        while (missing > 0)
        {
            Memory<byte> rest = received.AsMemory(0, (int)Math.Min(missing, received.Length));
            int read = await socket!.ReceiveAsync(rest, timeout.Token);
            if (read == 0)
                return Response.ConnectionLost;
            missing -= read;
        }
        if (head.Closes)
            Close();
        return Response.Answered(head.Status, head.Length + head.BodyLength);
    }

    private void EndAttempt(in Response response)
    {
        if (!timeout.TryReset())
        {
            timeout.Dispose();
            timeout = new CancellationTokenSource();
        }
        bool isAnswer = response.Bytes > 0;
        if (response.IsOk || isAnswer)
            return;
        Close();
        member = (member + 1) % target.Members.Count;
    }
}
