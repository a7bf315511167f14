using RaftFast.Protocol;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>Reads the frames that arrive on one side of a snapshot's connection. For one reader at a time.</summary>
internal sealed class SnapshotFrames(Stream stream)
{
    private byte[] buffer = new byte[Frame.HeaderSize];
    private int imageLength;

    /// <summary>Header of the last frame read.</summary>
    public Message Message { get; private set; }

    /// <summary>The part of a snapshot in the last frame, valid until the next read.</summary>
    public ReadOnlySpan<byte> Image => buffer.AsSpan(0, imageLength);

    /// <returns>False if the received bytes are not a frame of this type.</returns>
    /// <exception cref="IOException">The connection has ended.</exception>
    public async Task<bool> TryReadAsync(MessageType type, CancellationToken stop)
    {
        imageLength = 0;
        await stream.ReadExactlyAsync(buffer.AsMemory(0, Frame.HeaderSize), stop);
        DecodeStatus status = Frame.TryReadHeader(buffer, out Message message, out int length);
        if (status != DecodeStatus.Complete || message.Type != type || length > SnapshotChunk.BytesMax)
            return false;
        Message = message;
        if (length > buffer.Length)
            buffer = new byte[length];
        await stream.ReadExactlyAsync(buffer.AsMemory(0, length), stop);
        imageLength = length;
        return true;
    }

    public static void Write(Stream stream, in Message message, ReadOnlySpan<byte> image)
    {
        Span<byte> header = stackalloc byte[Frame.HeaderSize];
        Frame.WriteHeader(header, message, image.Length);
        stream.Write(header);
        stream.Write(image);
        stream.Flush();
    }
}
