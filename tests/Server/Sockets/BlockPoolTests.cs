using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Tests.Sockets;

public sealed class BlockPoolTests
{
    private const int BlockBytes = 64 * 1024;

    [Fact]
    public void Block_that_is_given_back_is_the_next_one()
    {
        BlockPool pool = new(BlockBytes);
        IMemoryOwner<byte> block = pool.Rent(4096);
        Assert.Equal(BlockBytes, block.Memory.Length);
        Assert.NotSame(block, pool.Rent());
        block.Dispose();
        Assert.Same(block, pool.Rent());
    }

    [Fact]
    public void No_more_is_kept_than_a_bound()
    {
        const int Kept = (8 << 20) / BlockBytes;
        BlockPool pool = new(BlockBytes);
        IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, Kept + 1).Select(_ => pool.Rent())];
        foreach (IMemoryOwner<byte> block in blocks)
            block.Dispose();
        HashSet<IMemoryOwner<byte>> known = [.. blocks];
        Assert.Equal(Kept, Enumerable.Range(0, Kept + 1).Count(_ => known.Contains(pool.Rent())));
    }

    /// <summary>Checks that Kestrel uses the pool that it is given.</summary>
    [Fact]
    public async Task Transport_receives_into_its_blocks()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await using SocketListener listener = SocketListener.Bind(
            new IPEndPoint(IPAddress.Loopback, 0), new SocketTransport(BlockBytes, BlockBytes, NullLogger.Instance),
            NullLogger.Instance);
        using TcpClient client = new();
        await client.ConnectAsync((IPEndPoint)listener.EndPoint, cancellation);
        await using ConnectionContext connection = (await listener.AcceptAsync(cancellation))!;
        const int Sent = BlockBytes / 2;
        await client.GetStream().WriteAsync(new byte[Sent], cancellation);
        ReadResult result = await connection.Transport.Input.ReadAtLeastAsync(Sent, cancellation);
        Assert.Equal(Sent, result.Buffer.Length);
        Assert.True(result.Buffer.IsSingleSegment);
        connection.Transport.Input.AdvanceTo(result.Buffer.End);
    }
}
