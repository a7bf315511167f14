using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>Digests of the state at the entries applied last, in a ring.</summary>
/// <param name="countMax">Maximum digests.</param>
internal sealed class RecentDigests(int countMax)
{
    /// <summary>
    /// Entries that are applied in a third of a second at the fastest, and more than one batch applies. So a member has
    /// the digest of an entry for which it is asked in advance. Takes 1 MiB.
    /// </summary>
    public const int CountMax = 65_536;

    private readonly UInt128[] ring = new UInt128[countMax];
    private long oldest;
    private long newest;

    /// <summary>First index with a known digest.</summary>
    public long Oldest => Math.Max(oldest, newest - countMax + 1);

    /// <summary>Forgets all digests. A state at this index is the first that has one.</summary>
    public void Begin(long index, UInt128 digest)
    {
        oldest = newest = index;
        ring[index % countMax] = digest;
    }

    public void Add(long index, UInt128 digest)
    {
        Invariant.Hold(index == newest + 1);
        newest = index;
        ring[index % countMax] = digest;
    }

    /// <returns>False if the digest at this index is not known yet, or no longer.</returns>
    public bool TryGet(long index, out UInt128 digest)
    {
        bool isKnown = index >= Oldest && index <= newest;
        digest = isKnown ? ring[index % countMax] : default;
        return isKnown;
    }
}
