using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>Rules for the order of hard states in a log.</summary>
internal static class HardStateOrder
{
    /// <summary>
    /// True if one hard state may follow another: the term never decreases, and a vote stays for its whole term (§5.2).
    /// </summary>
    public static bool MayFollow(HardState before, HardState after) =>
        after.Term > before.Term || (after.Term == before.Term && (before.Vote == 0 || after.Vote == before.Vote));

    /// <summary>
    /// Hard state after a node has seen an entry: an entry of a later term proves that term, without a vote.
    /// </summary>
    public static HardState Seen(HardState state, LogPosition entry) =>
        entry.Term > state.Term ? new HardState(entry.Term, 0) : state;
}
