namespace RaftFast.Http.Tests;

/// <summary>Buffers of requests and answers: sizes, and pages that go back to the system.</summary>
public sealed class BufferPoolTests
{
    [Fact]
    public void Buffer_has_the_least_size_class_that_fits()
    {
        int page = BufferPool.SizeFor(1);
        int last = 0;
        for (int bytes = 1; bytes <= ClientRequest.BytesMax; bytes += 509)
        {
            int size = BufferPool.SizeFor(bytes);
            Assert.True(size >= bytes && size >= last && size % page == 0);
            Assert.True(size - bytes < page || (size - bytes) * 4 < size);
            Assert.Equal(size, BufferPool.SizeFor(size));
            last = size;
        }
    }

    [Fact]
    public void Buffers_of_one_size_do_not_overlap_and_are_used_again()
    {
        BufferPool pool = new();
        PooledBuffer[] buffers = [.. Enumerable.Range(0, 100).Select(_ => pool.Rent(100_000))];
        for (int i = 0; i < buffers.Length; i++)
            buffers[i].Span.Fill((byte)i);
        for (int i = 0; i < buffers.Length; i++)
            Assert.Equal(-1, buffers[i].Span.IndexOfAnyExcept((byte)i));
        pool.Return(buffers[7]);
        Assert.Equal(BufferPool.SizeFor(100_000), pool.FreeBytes);
        Assert.Equal(buffers[7], pool.Rent(100_000));
        Assert.Equal(0, pool.FreeBytes);
    }

    [Fact]
    public void Trim_gives_back_buffers_that_were_free_since_the_last_trim()
    {
        BufferPool pool = new();
        PooledBuffer[] buffers = [.. Enumerable.Range(0, 3).Select(_ => pool.Rent(5000))];
        buffers[0].Span.Fill(1);
        foreach (PooledBuffer buffer in buffers)
            pool.Return(buffer);
        pool.Trim();
        Assert.Equal(3 * BufferPool.SizeFor(5000), pool.FreeBytes);
        pool.Return(pool.Rent(5000));
        pool.Trim();
        Assert.Equal(BufferPool.SizeFor(5000), pool.FreeBytes);
        // The buffer without pages is empty and can be used.
        _ = pool.Rent(5000);
        PooledBuffer again = pool.Rent(5000);
        again.Span.Fill(2);
        Assert.Equal(-1, again.Span.IndexOfAnyExcept((byte)2));
    }

    [Fact]
    public void Buffers_rented_and_free_stay_below_the_bound_while_sizes_change()
    {
        const int Bound = 4 << 20;
        ClientMemory memory = new(Bound);
        Random random = new(1);
        Queue<PooledBuffer> rented = new();
        for (int i = 0; i < 20_000; i++)
        {
            // Sizes come in phases, so that buffers of an earlier phase are free.
            int bytes = 1 + random.Next(2000 << (i / 500 % 10));
            int size = BufferPool.SizeFor(bytes);
            while (!memory.TryHold(size))
                GiveBackOne();
            rented.Enqueue(memory.Rent(bytes));
            Assert.InRange(memory.Bytes, 0, Bound);
            if (random.Next(3) == 0)
                GiveBackOne();
            Assert.InRange(memory.Bytes, 0, Bound);
        }

        void GiveBackOne()
        {
            PooledBuffer buffer = rented.Dequeue();
            memory.Return(buffer);
            memory.Release(buffer.Length);
        }
    }
}
