namespace RaftFast.Protocol;

/// <summary>A place in the log. Ordered as in §5.4.1 of the Raft paper: by term, then by index. (0, 0) is before the first entry.</summary>
public readonly record struct LogPosition(long Term, long Index) : IComparable<LogPosition>
{
    /// <summary>
    /// The greatest term and the greatest index that is taken from outside: a million a second take 36,000 years to get there,
    /// and sums of two don't overflow.
    /// </summary>
    public const long Greatest = 1L << 60;

    public int CompareTo(LogPosition other) =>
        Term != other.Term ? Term.CompareTo(other.Term) : Index.CompareTo(other.Index);

    public static bool operator <(LogPosition left, LogPosition right) => left.CompareTo(right) < 0;

    public static bool operator <=(LogPosition left, LogPosition right) => left.CompareTo(right) <= 0;

    public static bool operator >(LogPosition left, LogPosition right) => left.CompareTo(right) > 0;

    public static bool operator >=(LogPosition left, LogPosition right) => left.CompareTo(right) >= 0;
}
