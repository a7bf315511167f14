using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// The chunked transfer coding (RFC 9112 §7.1), parsed byte by byte except for the data:
/// <code>
/// chunked-body = *( 1*HEXDIG [ chunk-ext ] CRLF chunk-data CRLF ) 1*"0" [ chunk-ext ] CRLF *( trailer CRLF ) CRLF
/// chunk-ext    = *( [ SP / HTAB ] ";" anything but control characters )
/// </code>
/// Extensions and trailers are dropped. The bytes of all extensions of a body are bounded, and so are the bytes of all
/// trailers.
/// </summary>
internal struct ChunkedBody(int overheadBytesMax)
{
    private State state;
    private long chunkLeft;
    private long total;
    private int extensionBytes;
    private int trailerBytes;

    private enum State : byte
    {
        SizeStart,
        Size,
        ExtensionSpace,
        Extension,
        SizeLineFeed,
        Data,
        DataReturn,
        DataLineFeed,
        TrailerStart,
        Trailer,
        TrailerLineFeed,
        LastLineFeed,
        End,
    }

    /// <param name="consumed">Bytes of <paramref name="source"/> that belong to the body.</param>
    public DecodeStatus Read(ReadOnlySpan<byte> source, ClientRequest request, out int consumed, out Refusal? refusal)
    {
        consumed = 0;
        refusal = null;
        while (consumed < source.Length)
        {
            if (state == State.Data)
            {
                int piece = (int)Math.Min(chunkLeft, source.Length - consumed);
                request.AppendBody(source.Slice(consumed, piece));
                consumed += piece;
                chunkLeft -= piece;
                if (chunkLeft == 0)
                    state = State.DataReturn;
                continue;
            }
            refusal = Step(source[consumed++]);
            if (refusal is not null)
                return DecodeStatus.Invalid;
            if (state == State.End)
                return DecodeStatus.Complete;
        }
        return DecodeStatus.Incomplete;
    }

    private Refusal? Step(byte b) => state switch
    {
        State.SizeStart => char.IsAsciiHexDigit((char)b) ? AddDigit(b) : Refusal.Chunk,
        State.Size when char.IsAsciiHexDigit((char)b) => AddDigit(b),
        State.Size or State.ExtensionSpace or State.Extension => AfterSize(b),
        State.SizeLineFeed => Expect(b, '\n', chunkLeft > 0 ? State.Data : State.TrailerStart),
        State.DataReturn => Expect(b, '\r', State.DataLineFeed),
        State.DataLineFeed => Expect(b, '\n', State.SizeStart),
        State.TrailerStart when b == '\r' => Expect(b, '\r', State.LastLineFeed),
        State.TrailerStart or State.Trailer => InTrailer(b),
        State.TrailerLineFeed => Expect(b, '\n', State.TrailerStart),
        _ => Expect(b, '\n', State.End),
    };

    private Refusal? Expect(byte b, char expected, State next)
    {
        state = next;
        return b == expected ? null : Refusal.Chunk;
    }

    private Refusal? AddDigit(byte b)
    {
        if (state == State.SizeStart)
            chunkLeft = 0;
        state = State.Size;
        if (chunkLeft > long.MaxValue >> 4)
            return Refusal.Chunk;
        chunkLeft = (chunkLeft << 4) + ((b & 0x0F) + (b > '9' ? 9 : 0));
        // Zeros before a size count as overhead, so their number is bounded.
        return CountExtension();
    }

    private Refusal? AfterSize(byte b)
    {
        if (b == '\r' && state != State.ExtensionSpace)
        {
            state = State.SizeLineFeed;
            if (chunkLeft > PutCommand.ValueBytesMax - total)
                return Refusal.BodySize;
            total += chunkLeft;
            return null;
        }
        if (b == ';')
            state = State.Extension;
        else if (state != State.Extension && b is (byte)' ' or (byte)'\t')
            state = State.ExtensionSpace;
        else if (state != State.Extension || b is < (byte)' ' and not (byte)'\t' or 0x7F)
            return Refusal.Chunk;
        return CountExtension();
    }

    private Refusal? CountExtension() => ++extensionBytes > overheadBytesMax + total ? Refusal.HeadersSize : null;

    private Refusal? InTrailer(byte b)
    {
        state = b == '\r' ? State.TrailerLineFeed : State.Trailer;
        if (++trailerBytes > overheadBytesMax)
            return Refusal.HeadersSize;
        return b is < (byte)' ' and not ((byte)'\t' or (byte)'\r') or 0x7F ? Refusal.Chunk : null;
    }
}
