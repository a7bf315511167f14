namespace RaftFast.Server.Tests.Peers.Outbound;

/// <summary>A connection whose other side takes one write for each permit.</summary>
internal sealed class GatedStream : Stream
{
    private readonly SemaphoreSlim permits = new(0);
    private readonly MemoryStream taken = new();
    private int begun;

    /// <summary>Writes that were started. All but the last are complete.</summary>
    public int Begun => Volatile.Read(ref begun);

    /// <summary>Bytes of all complete writes. Valid when no write is under way.</summary>
    public ReadOnlySpan<byte> Taken => taken.GetBuffer().AsSpan(0, (int)taken.Length);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public void Permit(int writes) => permits.Release(writes);

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref begun);
        await permits.WaitAsync(cancellationToken);
        taken.Write(buffer.Span);
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        permits.Dispose();
        taken.Dispose();
        base.Dispose(disposing);
    }
}
