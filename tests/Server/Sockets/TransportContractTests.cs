using System.Buffers;
using System.IO.Pipelines;

#pragma warning disable xUnit1051 // Reads and flushes without a token are what handlers use.

namespace RaftFast.Server.Tests.Sockets;

/// <summary>
/// Behaviour that handlers rely on. A <see cref="Pipe"/> defines it; both transports pass the same tests.
/// </summary>
public sealed class TransportContractTests
{
    public static TheoryData<string> Kinds => new("pipe", "sockets", "epoll");

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Bytes_that_were_examined_and_not_consumed_come_again_with_the_next_ones(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        await pair.SendAsync("abc"u8.ToArray());
        ReadResult result = await pair.Input.ReadAsync();
        Assert.Equal("abc"u8.ToArray(), result.Buffer.ToArray());
        pair.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        ValueTask<ReadResult> pending = pair.Input.ReadAsync();
        Assert.False(pending.IsCompleted);
        await pair.SendAsync("de"u8.ToArray());
        result = await pending;
        Assert.Equal("abcde"u8.ToArray(), result.Buffer.ToArray());
        pair.Input.AdvanceTo(result.Buffer.End);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Bytes_that_were_not_examined_come_again_at_once(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        await pair.SendAsync("abc"u8.ToArray());
        ReadResult result = await pair.Input.ReadAsync();
        pair.Input.AdvanceTo(result.Buffer.GetPosition(1));
        ValueTask<ReadResult> next = pair.Input.ReadAsync();
        Assert.True(next.IsCompleted);
        result = await next;
        Assert.Equal("bc"u8.ToArray(), result.Buffer.ToArray());
        pair.Input.AdvanceTo(result.Buffer.End);
        Assert.False(pair.Input.TryRead(out _));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Bytes_in_several_segments_are_whole_and_in_order(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        byte[] sent = Bytes(300_000);
        Task sending = pair.SendAsync(sent);
        int consumed = 0;
        int step = 0;
        while (consumed < sent.Length)
        {
            ReadResult result = await pair.Input.ReadAsync();
            long length = result.Buffer.Length;
            Assert.Equal(sent[consumed..(consumed + (int)length)], result.Buffer.ToArray());
            // Sometimes all, sometimes a part, sometimes nothing until more has come.
            int taken = (step++ % 3) switch { 0 => (int)length, 1 => (int)(length / 2), _ => 0 };
            pair.Input.AdvanceTo(result.Buffer.GetPosition(taken), result.Buffer.End);
            consumed += taken;
            if (consumed + length - taken == sent.Length && taken < length)
            {
                pair.Input.CancelPendingRead();
            }
        }
        await sending;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_cancelled_read_loses_nothing(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        pair.Input.CancelPendingRead();
        ReadResult before = await pair.Input.ReadAsync();
        Assert.True(before.IsCanceled);
        pair.Input.AdvanceTo(before.Buffer.End);

        ValueTask<ReadResult> pending = pair.Input.ReadAsync();
        pair.Input.CancelPendingRead();
        ReadResult during = await pending;
        Assert.True(during.IsCanceled);
        Assert.True(during.Buffer.IsEmpty);
        pair.Input.AdvanceTo(during.Buffer.End);

        await pair.SendAsync("abc"u8.ToArray());
        ReadResult after = await pair.Input.ReadAsync();
        Assert.False(after.IsCanceled);
        Assert.Equal("abc"u8.ToArray(), after.Buffer.ToArray());
        pair.Input.AdvanceTo(after.Buffer.End);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_token_ends_the_read_that_waits_and_no_later_one(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        using CancellationTokenSource source = new();
        ValueTask<ReadResult> pending = pair.Input.ReadAsync(source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pending);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await pair.Input.ReadAsync(source.Token));
        await pair.SendAsync("abc"u8.ToArray());
        ReadResult result = await pair.Input.ReadAsync();
        Assert.Equal("abc"u8.ToArray(), result.Buffer.ToArray());
        pair.Input.AdvanceTo(result.Buffer.End);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_end_comes_with_the_last_bytes_or_after_them(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        await pair.SendAsync("abc"u8.ToArray());
        await pair.EndAsync();
        ReadResult result;
        do
        {
            result = await pair.Input.ReadAsync();
            Assert.Equal("abc"u8.ToArray(), result.Buffer.ToArray());
            pair.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
        while (!result.IsCompleted);
        result = await pair.Input.ReadAsync();
        Assert.True(result.IsCompleted);
        Assert.Equal("abc"u8.ToArray(), result.Buffer.ToArray());
        pair.Input.AdvanceTo(result.Buffer.End);
        // The other direction continues.
        await pair.Output.WriteAsync("xyz"u8.ToArray());
        Assert.Equal("xyz"u8.ToArray(), await pair.ReceiveAsync(3));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_broken_connection_fails_the_read_that_waits_and_later_ones(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        Task<ReadResult> pending = pair.Input.ReadAsync().AsTask();
        await pair.BreakAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => pending);
        await Assert.ThrowsAnyAsync<IOException>(async () => await pair.Input.ReadAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_flush_waits_while_the_client_takes_nothing(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        byte[] sent = Bytes(16 << 20);
        Task<FlushResult> flush = pair.Output.WriteAsync(sent).AsTask();
        Assert.False(flush.IsCompleted);
        Assert.Equal(sent, await pair.ReceiveAsync(sent.Length));
        Assert.False((await flush).IsCompleted);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_flush_of_which_a_part_is_taken_holds_up_no_read(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        byte[] sent = Bytes(32 << 20);
        Task<FlushResult> flush = pair.Output.WriteAsync(sent).AsTask();
        const int Part = 8 << 20;
        Assert.Equal(sent[..Part], await pair.ReceiveAsync(Part));
        Task<ReadResult> read = pair.Input.ReadAsync().AsTask();
        await pair.SendAsync("abc"u8.ToArray());
        ReadResult result = await read.WaitAsync(Eventually.Deadline);
        Assert.Equal("abc"u8.ToArray(), result.Buffer.ToArray());
        pair.Input.AdvanceTo(result.Buffer.End);
        Assert.Equal(sent[Part..], await pair.ReceiveAsync(sent.Length - Part));
        Assert.False((await flush).IsCompleted);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_cancelled_flush_loses_nothing(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        byte[] sent = Bytes(16 << 20);
        Task<FlushResult> flush = pair.Output.WriteAsync(sent).AsTask();
        pair.Output.CancelPendingFlush();
        Assert.True((await flush).IsCanceled);
        Task<byte[]> received = pair.ReceiveAsync(sent.Length + 3);
        Assert.False((await pair.Output.WriteAsync("abc"u8.ToArray())).IsCanceled);
        byte[] all = await received;
        Assert.Equal(sent, all[..sent.Length]);
        Assert.Equal("abc"u8.ToArray(), all[sent.Length..]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_abort_ends_a_flush_that_waits(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        Task<FlushResult> flush = pair.Output.WriteAsync(Bytes(16 << 20)).AsTask();
        Assert.False(flush.IsCompleted);
        pair.Abort();
        Assert.True((await flush).IsCompleted);
        Assert.True((await pair.Output.FlushAsync()).IsCompleted);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Bytes_written_before_the_writer_is_completed_are_sent(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        byte[] sent = Bytes(100_000);
        int written = 0;
        while (written < sent.Length)
        {
            Span<byte> span = pair.Output.GetSpan();
            int count = Math.Min(span.Length, sent.Length - written);
            sent.AsSpan(written, count).CopyTo(span);
            pair.Output.Advance(count);
            written += count;
            Assert.Equal(written, pair.Output.UnflushedBytes);
        }
        await pair.Output.CompleteAsync();
        Assert.Equal(sent, await pair.ReceiveAsync(sent.Length));
        Assert.Throws<InvalidOperationException>(() => pair.Output.GetMemory());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_span_is_as_large_as_asked_for(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        byte[] sent = Bytes(10 * DuplexPair.BlockBytes);
        foreach (int size in (int[])[10, DuplexPair.BlockBytes + 1, 1, 3 * DuplexPair.BlockBytes])
        {
            Memory<byte> memory = pair.Output.GetMemory(size);
            Assert.True(memory.Length >= size);
            sent.AsSpan(0, size).CopyTo(memory.Span);
            pair.Output.Advance(size);
            Assert.False((await pair.Output.FlushAsync()).IsCompleted);
            Assert.Equal(0, pair.Output.UnflushedBytes);
            Assert.Equal(sent[..size], await pair.ReceiveAsync(size));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Both_directions_at_once_keep_their_order(string kind)
    {
        await using DuplexPair pair = await DuplexPair.OpenAsync(kind);
        byte[] sent = Bytes(2 << 20);
        Task echo = Task.Run(async () =>
        {
            int length = 0;
            while (length < sent.Length)
            {
                ReadResult result = await pair.Input.ReadAsync();
                length += (int)result.Buffer.Length;
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                    await pair.Output.WriteAsync(segment);
                pair.Input.AdvanceTo(result.Buffer.End);
            }
        }, TestContext.Current.CancellationToken);
        Task sending = pair.SendAsync(sent);
        Assert.Equal(sent, await pair.ReceiveAsync(sent.Length));
        await sending;
        await echo;
    }

    private static byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }
}
