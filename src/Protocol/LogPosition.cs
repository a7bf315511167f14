namespace RaftFast.Protocol;

/// <summary>
/// A place in the log. Ordered as in §5.4.1 of the Raft paper: by term, then by index. (0, 0) is before the first
/// entry.
/// </summary>
public readonly record struct LogPosition(long Term, long Index) : IComparable<LogPosition>
{
    /// <summary>
    /// Maximum term and index that a decoder accepts. At a million a second the maximum is reached after 36,000 years,
    /// and the sum of two does not overflow.
    /// </summary>
    public const long Greatest = 1L << 60;

    public int CompareTo(LogPosition other) =>
        Term != other.Term ? Term.CompareTo(other.Term) : Index.CompareTo(other.Index);

    public static bool operator <(LogPosition left, LogPosition right) => left.CompareTo(right) < 0;

    public static bool operator <=(LogPosition left, LogPosition right) => left.CompareTo(right) <= 0;

    public static bool operator >(LogPosition left, LogPosition right) => left.CompareTo(right) > 0;

    public static bool operator >=(LogPosition left, LogPosition right) => left.CompareTo(right) >= 0;
}
