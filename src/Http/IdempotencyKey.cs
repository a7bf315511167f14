using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>The value of the header Idempotency-Key.</summary>
public static class IdempotencyKey
{
    /// <summary>Accepts a quoted string (RFC 9651 §3.3.3) or a bare token (RFC 9110 §5.6.2), not empty.</summary>
    /// <param name="token">Gets the key, without quotes; <see cref="KeyCommand.TokenBytesMax"/> bytes.</param>
    public static bool TryParse(ReadOnlySpan<byte> value, Span<byte> token, out int length)
    {
        length = 0;
        if (value.IsEmpty)
            return false;
        if (value[0] != '"')
        {
            if (!RequestHead.IsToken(value) || value.Length > KeyCommand.TokenBytesMax)
                return false;
            value.CopyTo(token);
            length = value.Length;
            return true;
        }
        int i = 1;
        for (; i < value.Length && value[i] != '"'; i++)
        {
            if (value[i] == '\\' && (++i == value.Length || value[i] is not ((byte)'"' or (byte)'\\')))
                return false;
            if (value[i] is < (byte)' ' or > (byte)'~' || length == KeyCommand.TokenBytesMax)
                return false;
            token[length++] = value[i];
        }
        return i == value.Length - 1 && length > 0;
    }
}
