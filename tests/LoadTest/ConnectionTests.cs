using System.Net;
using System.Net.Sockets;
using System.Text;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Tests;

public sealed class ConnectionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly byte[] Get = "GET /key HTTP/1.1\r\nHost: load\r\n\r\n"u8.ToArray();

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nvalue", "200")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "204")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\nFailed to GET\n", "404")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n*", "200")]
    public async Task An_answer_is_the_same_at_every_split(string text, string status)
    {
        byte[] answer = Encoding.ASCII.GetBytes(text.Replace("*", new string('x', 40_000), StringComparison.Ordinal));
        int[] splits = [.. Enumerable.Range(0, Math.Min(answer.Length, 64)), answer.Length - 1];
        int next = 0;
        await using ScriptedServer server = new(async connection =>
        {
            while (await ScriptedServer.ReadRequestAsync(connection))
            {
                int split = splits[next++];
                await connection.SendAsync(answer.AsMemory(0, split));
                await connection.SendAsync(answer.AsMemory(split));
            }
        });
        using Connection client = new(new Target([server.EndPoint], Patience), 0);
        foreach (int _ in splits)
            Assert.Equal(new Response(status[0] == '2', status, answer.Length), await client.ExchangeAsync(Get));
    }

    [Fact]
    public async Task An_answer_byte_by_byte_is_the_same()
    {
        byte[] answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nvalue"u8.ToArray();
        await using ScriptedServer server = new(async connection =>
        {
            while (await ScriptedServer.ReadRequestAsync(connection))
            {
                for (int i = 0; i < answer.Length; i++)
                    await connection.SendAsync(answer.AsMemory(i, 1));
            }
        });
        using Connection client = new(new Target([server.EndPoint], Patience), 0);
        for (int i = 0; i < 3; i++)
            Assert.Equal(new Response(true, "200", answer.Length), await client.ExchangeAsync(Get));
    }

    [Fact]
    public async Task A_truncated_answer_is_a_lost_connection_and_the_next_request_opens_a_new_one()
    {
        byte[] answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nvalue"u8.ToArray();
        int cut = 0;
        await using ScriptedServer server = new(async connection =>
        {
            while (cut < answer.Length && await ScriptedServer.ReadRequestAsync(connection))
            {
                await connection.SendAsync(answer.AsMemory(0, cut++));
                connection.Shutdown(SocketShutdown.Send);
            }
        });
        using Connection client = new(new Target([server.EndPoint], Patience), 0);
        for (int i = 0; i < answer.Length; i++)
            Assert.Equal(Response.ConnectionLost, await client.ExchangeAsync(Get));
    }

    [Fact]
    public async Task More_bytes_than_the_answer_has_are_malformed()
    {
        await using ScriptedServer server = new(async connection =>
        {
            await ScriptedServer.ReadRequestAsync(connection);
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy"u8.ToArray());
        });
        using Connection client = new(new Target([server.EndPoint], Patience), 0);
        Assert.Equal(Response.Malformed, await client.ExchangeAsync(Get));
    }

    [Fact]
    public async Task Silence_is_a_timeout()
    {
        await using ScriptedServer server = new(async connection =>
        {
            while (await ScriptedServer.ReadRequestAsync(connection))
            {
            }
        });
        using Connection client = new(new Target([server.EndPoint], TimeSpan.FromMilliseconds(50)), 0);
        Assert.Equal(Response.TimedOut, await client.ExchangeAsync(Get));
    }

    [Fact]
    public async Task A_member_that_refuses_is_passed_over_and_no_member_at_all_is_no_connection()
    {
        IPEndPoint closed;
        using (TcpListener taken = new(IPAddress.Loopback, 0))
        {
            taken.Start();
            closed = (IPEndPoint)taken.LocalEndpoint;
        }
        await using EmptyServer server = EmptyServer.Start(0, 1);
        using Connection lucky = new(new Target([closed, closed, server.EndPoint], Patience), 0);
        Assert.True((await lucky.ExchangeAsync(Get)).IsOk);
        using Connection alone = new(new Target([closed, closed], Patience), 0);
        Assert.Equal(Response.NoConnection, await alone.ExchangeAsync(Get));
    }
}
