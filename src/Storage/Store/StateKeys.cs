namespace RaftFast.Storage.Store;

/// <summary>
/// Keys of entries that belong to no client. Snapshots carry these entries like the entries of clients. A client's key
/// is a request target and begins with '/'.
/// </summary>
internal static class StateKeys
{
    /// <summary>Maximum bytes of a key of <see cref="Outcome"/>.</summary>
    public const int OutcomeBytesMax = 4 + Protocol.KeyCommand.TokenBytesMax;

    /// <summary>
    /// Key of the log time, which is the entry's time. The entry is written when a view begins, and not before.
    /// </summary>
    public static ReadOnlySpan<byte> Clock => "\0clock"u8;

    /// <summary>
    /// Beginning of an outcome's key; the idempotency key follows. The entry's time is the log time of the request.
    /// </summary>
    private static ReadOnlySpan<byte> Outcomes => "\0out"u8;

    public static bool IsClient(ReadOnlySpan<byte> key) => !IsClock(key) && !IsOutcome(key);

    public static bool IsClock(ReadOnlySpan<byte> key) => key[0] == 0 && key.SequenceEqual(Clock);

    public static bool IsOutcome(ReadOnlySpan<byte> key) => key[0] == 0 && key.StartsWith(Outcomes);

    /// <returns>Key of the outcome of a request with this idempotency key.</returns>
    public static ReadOnlySpan<byte> OutcomeOf(ReadOnlySpan<byte> token, Span<byte> buffer)
    {
        Outcomes.CopyTo(buffer);
        token.CopyTo(buffer[Outcomes.Length..]);
        return buffer[..(Outcomes.Length + token.Length)];
    }
}
