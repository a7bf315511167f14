using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// A client that sends each request exactly once, so that the answer says what happened. Throws IOException or
/// SocketException if no answer comes.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    /// <summary>Longer than every timeout of the server: a request that is not answered in this time hangs.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(20);

    private readonly NetworkStream network;
    private readonly BufferedStream input;

    private HttpConnection(Socket socket)
    {
        network = new NetworkStream(socket, ownsSocket: true);
        input = new BufferedStream(network);
    }

    public static HttpConnection Open(int port, TimeSpan? answerTimeout = null)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)(answerTimeout ?? AnswerTimeout).TotalMilliseconds,
        };
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return new HttpConnection(socket);
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <param name="fields">Further header lines, each without its line end.</param>
    public HttpAnswer Exchange(
        string method, string target, ReadOnlySpan<byte> body = default, params ReadOnlySpan<string> fields)
    {
        Send(method, target, body, fields);
        return Receive(hasBody: method != "HEAD");
    }

    /// <summary>Sends a request. Any number of requests may be sent before their answers are received.</summary>
    /// <param name="fields">Further header lines, each without its line end.</param>
    public void Send(
        string method, string target, ReadOnlySpan<byte> body = default, params ReadOnlySpan<string> fields)
    {
        string more = string.Concat(fields.ToArray().Select(field => $"{field}\r\n"));
        string length = method is "PUT" or "POST" ? $"Content-Length: {body.Length}\r\n" : "";
        byte[] head = Encoding.ASCII.GetBytes($"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}{more}\r\n");
        network.Write([.. head, .. body]);
    }

    /// <summary>True once an answer has begun to arrive, or the connection has ended.</summary>
    public bool HasInput => network.Socket.Poll(0, SelectMode.SelectRead);

    public void SendRaw(ReadOnlySpan<byte> bytes) => network.Write(bytes);

    public HttpAnswer Receive(bool hasBody = true)
    {
        string statusLine = ReadLine();
        if (!statusLine.StartsWith("HTTP/1.", StringComparison.Ordinal))
            throw new InvalidDataException($"not a status line: {statusLine}");
        int status = int.Parse(statusLine.AsSpan("HTTP/1.x ".Length, 3), CultureInfo.InvariantCulture);
        int length = 0;
        Dictionary<string, string> fields = new(StringComparer.OrdinalIgnoreCase);
        for (string line = ReadLine(); line.Length > 0; line = ReadLine())
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            fields[line[..colon]] = line[(colon + 1)..].Trim();
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                length = int.Parse(line.AsSpan("Content-Length:".Length), CultureInfo.InvariantCulture);
        }
        byte[] body = new byte[hasBody ? length : 0];
        input.ReadExactly(body);
        return new HttpAnswer(status, body, fields);
    }

    public void Dispose()
    {
        input.Dispose();
        network.Dispose();
    }

    private string ReadLine()
    {
        StringBuilder line = new();
        for (int c = input.ReadByte(); c != '\n'; c = input.ReadByte())
        {
            if (c < 0)
                throw new EndOfStreamException("the connection ended inside an answer or before it");
            line.Append((char)c);
        }
        return line.ToString().TrimEnd('\r');
    }
}

internal sealed record HttpAnswer(int Status, byte[] Body, IReadOnlyDictionary<string, string> Fields)
{
    /// <summary>Value of the ETag without its quotes; 0 if there is none.</summary>
    public long Tag => Fields.TryGetValue("ETag", out string? tag)
        ? long.Parse(tag.Trim('"'), CultureInfo.InvariantCulture) : 0;

    public string Text => Encoding.UTF8.GetString(Body);
}
