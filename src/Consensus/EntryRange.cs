namespace RaftFast.Consensus;

/// <summary>Entries First to Last, both included; none when Last is before First.</summary>
public readonly record struct EntryRange(long First, long Last)
{
    public static EntryRange None => new(1, 0);

    public bool IsEmpty => Last < First;
}
