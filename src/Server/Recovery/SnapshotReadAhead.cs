using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using RaftFast.Server.Threads;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Recovery;

/// <summary>
/// Reads and verifies a snapshot's chunks on a thread of its own, a few chunks before the caller loads them.
/// </summary>
internal sealed class SnapshotReadAhead : IDisposable
{
    /// <summary>
    /// Buffers: one that is loaded, one that is read into, and two for when loading or reading takes longer.
    /// </summary>
    private const int Buffers = 4;

    private readonly SnapshotReader reader;
    private readonly BlockingCollection<(byte[] Bytes, int Length, long End)> read = [];
    private readonly BlockingCollection<byte[]> free = [];
    private readonly Thread thread;
    private byte[]? taken;
    private SnapshotReadStatus last;
    private ExceptionDispatchInfo? failure;

    /// <param name="reader">Used by this object alone until the object is disposed.</param>
    public SnapshotReadAhead(SnapshotReader reader)
    {
        this.reader = reader;
        for (int i = 0; i < Buffers; i++)
            free.Add(GC.AllocateUninitializedArray<byte>(SnapshotChunk.PayloadBytesMax));
        thread = new Thread(Work) { Name = ThreadNames.ReadAhead, IsBackground = true };
        thread.Start();
    }

    /// <summary>Offset in the file after the chunk that was returned last; at the end, the file's length.</summary>
    public long End { get; private set; }

    /// <param name="payload">The next chunk's payload, valid until the next call.</param>
    /// <exception cref="Storage.Disk.StorageException">The disk can't read.</exception>
    public SnapshotReadStatus Next(out ReadOnlySpan<byte> payload)
    {
        if (taken is not null)
            free.Add(taken);
        taken = null;
        payload = default;
        if (!read.TryTake(out (byte[] Bytes, int Length, long End) chunk, Timeout.Infinite))
        {
            failure?.Throw();
            End = reader.End;
            return last;
        }
        taken = chunk.Bytes;
        End = chunk.End;
        payload = chunk.Bytes.AsSpan(0, chunk.Length);
        return SnapshotReadStatus.Chunk;
    }

    public void Dispose()
    {
        free.CompleteAdding();
        thread.Join();
        free.Dispose();
        read.Dispose();
    }

    private void Work()
    {
        try
        {
            while (free.TryTake(out byte[]? buffer, Timeout.Infinite))
            {
                last = reader.Read();
                if (last != SnapshotReadStatus.Chunk)
                    break;
                reader.Payload.CopyTo(buffer);
                read.Add((buffer, reader.Payload.Length, reader.End));
            }
        }
        catch (Exception error)
        {
            failure = ExceptionDispatchInfo.Capture(error);
        }
        read.CompleteAdding();
    }
}
