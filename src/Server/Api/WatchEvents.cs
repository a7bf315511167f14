using System.Buffers;
using System.Buffers.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Api;

/// <summary>
/// The changes under a prefix as Server-Sent Events, one for each entry that has some. The reader has a place in the
/// shared history, and no copy of anything. No character of the data needs an escape in JSON.
/// <code>
/// id: 17
/// data: {"index":17,"changes":[{"key":"/a%2520b","type":"put","tag":"17","size":3,"value":"YWJj"}]}
/// </code>
/// </summary>
/// <param name="position">Place in the history to read from.</param>
/// <param name="after">Changes up to this entry are passed over.</param>
internal sealed class WatchEvents(ChangeHistory history, WatchRange range, long position, long after)
{
    /// <summary>
    /// Bytes after which the caller flushes within an event. At most about these bytes wait for a slow client.
    /// </summary>
    private const int UnflushedMax = 32 * 1024;

    /// <summary>
    /// Bytes after which the caller flushes at the end of an event. So a client that lags seldom gets half an event.
    /// </summary>
    private const int UnflushedEventsMax = 8 * 1024;

    /// <summary>Bytes of a value that are encoded at a time: a multiple of 3, so that no padding is between.</summary>
    private const int ValuePiece = 3 * 1024;

    /// <summary>Maximum decimal digits of a number.</summary>
    private const int DigitsMax = 20;

    private readonly long known = after;

    /// <summary>Entry whose event is begun; 0 without one.</summary>
    private long open;

    /// <summary>Change whose value is being written, if <see cref="valueLeft"/> is not 0.</summary>
    private Change written;

    private int valueLeft;
    private int unflushed;

    /// <summary>Place in the history: all changes before this place are told.</summary>
    public long Position { get; private set; } = position;

    /// <summary>Every change up to this entry is told.</summary>
    public long Index { get; private set; } = after;

    /// <summary>True if the last <see cref="Write"/> wrote something.</summary>
    public bool HasUnflushed => unflushed > 0;

    /// <summary>Skips changes that are known not to be under the prefix.</summary>
    public void SkipTo(long skipped, long index)
    {
        Invariant.Hold(open == 0);
        Position = Math.Max(Position, skipped);
        Index = Math.Max(Index, index);
    }

    /// <summary>Writes events until no event is left, or until there is enough for a flush.</summary>
    public WatchStatus Write(IBufferWriter<byte> output)
    {
        HistoryExtent extent = history.Read();
        Span<byte> key = stackalloc byte[PutCommand.KeyBytesMax];
        unflushed = 0;
        while (unflushed < UnflushedMax)
        {
            if (valueLeft > 0)
            {
                if (!TryWriteValue(output))
                    return WatchStatus.Torn;
                continue;
            }
            if (Position == extent.Head)
            {
                End(output);
                Index = Math.Max(Index, extent.Index);
                return WatchStatus.Idle;
            }
            if (Position > extent.Head || !history.TryRead(Position, out Change change, key))
                return open == 0 ? WatchStatus.Gone : WatchStatus.Torn;
            if (open != 0 && change.Index != open)
            {
                End(output);
                if (unflushed >= UnflushedEventsMax)
                    return WatchStatus.More;
            }
            ReadOnlySpan<byte> changed = key[..change.KeyLength];
            if (change.Index > known && changed.StartsWith(range.Prefix))
                Begin(output, change, changed);
            else
                Position += change.Length;
        }
        return WatchStatus.More;
    }

    /// <summary>Names the entry after which the events begin.</summary>
    public void WriteBegin(IBufferWriter<byte> output)
    {
        Number(output, "event: begin\nid: "u8, Index);
        Number(output, "\ndata: {\"index\":"u8, Index);
        Text(output, "}\n\n"u8);
    }

    /// <summary>
    /// Says that the connection lives. The id is no event, but moves the place at which the client would continue.
    /// </summary>
    public void WriteAlive(IBufferWriter<byte> output)
    {
        Number(output, ": alive\nid: "u8, Index);
        Text(output, "\n\n"u8);
    }

    /// <summary>Says that changes are missing from here on.</summary>
    public void WriteGone(IBufferWriter<byte> output)
    {
        Number(output, "event: gone\ndata: {\"index\":"u8, Index);
        Text(output, ",\"list\":\"/v1/keys?prefix="u8);
        Encoded(output, range.Prefix);
        Text(output, "\"}\n\n"u8);
    }

    private void Begin(IBufferWriter<byte> output, Change change, ReadOnlySpan<byte> key)
    {
        if (open == 0)
        {
            Number(output, "id: "u8, change.Index);
            Number(output, "\ndata: {\"index\":"u8, change.Index);
            Text(output, ",\"changes\":["u8);
        }
        else
        {
            Text(output, ","u8);
        }
        open = change.Index;
        Text(output, "{\"key\":\""u8);
        Encoded(output, key);
        if (change.Kind != ChangeKind.Put)
        {
            Text(output, change.Kind == ChangeKind.Delete ? "\",\"type\":\"delete\"}"u8 : "\",\"type\":\"expiry\"}"u8);
            Position += change.Length;
            return;
        }
        Number(output, "\",\"type\":\"put\",\"tag\":\""u8, change.Index);
        Number(output, "\",\"size\":"u8, change.ValueLength);
        if (range.WithValues)
            Text(output, ",\"value\":\""u8);
        written = change;
        valueLeft = range.WithValues ? change.ValueLength : 0;
        if (valueLeft == 0)
            EndPut(output);
    }

    /// <summary>Writes the next piece of the value.</summary>
    /// <returns>False if the value was overwritten.</returns>
    private bool TryWriteValue(IBufferWriter<byte> output)
    {
        Span<byte> piece = stackalloc byte[ValuePiece];
        piece = piece[..Math.Min(valueLeft, ValuePiece)];
        if (!history.TryReadValue(Position, written, written.ValueLength - valueLeft, piece))
            return false;
        Base64.EncodeToUtf8(
            piece, output.GetSpan(Base64.GetMaxEncodedToUtf8Length(piece.Length)), out _, out int encoded);
        Advance(output, encoded);
        valueLeft -= piece.Length;
        if (valueLeft == 0)
            EndPut(output);
        return true;
    }

    private void EndPut(IBufferWriter<byte> output)
    {
        Text(output, range.WithValues ? "\"}"u8 : "}"u8);
        Position += written.Length;
    }

    private void End(IBufferWriter<byte> output)
    {
        if (open == 0)
            return;
        Text(output, "]}\n\n"u8);
        Index = Math.Max(Index, open);
        open = 0;
    }

    private void Text(IBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        text.CopyTo(output.GetSpan(text.Length));
        Advance(output, text.Length);
    }

    private void Number(IBufferWriter<byte> output, ReadOnlySpan<byte> before, long number)
    {
        Span<byte> text = output.GetSpan(before.Length + DigitsMax);
        before.CopyTo(text);
        Utf8Formatter.TryFormat(number, text[before.Length..], out int digits);
        Advance(output, before.Length + digits);
    }

    private void Encoded(IBufferWriter<byte> output, ReadOnlySpan<byte> key) =>
        Advance(output, PercentEncoding.Encode(key, output.GetSpan(key.Length * PercentEncoding.Growth)));

    private void Advance(IBufferWriter<byte> output, int bytes)
    {
        output.Advance(bytes);
        unflushed += bytes;
    }
}

internal enum WatchStatus
{
    /// <summary>There is more to write after a flush.</summary>
    More,

    /// <summary>Everything that happened is told.</summary>
    Idle,

    /// <summary>The next changes are not in the history any more.</summary>
    Gone,

    /// <summary>The rest of an event that is begun is not in the history any more.</summary>
    Torn,
}
