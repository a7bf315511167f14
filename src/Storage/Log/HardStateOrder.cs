using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

internal static class HardStateOrder
{
    /// <summary>§5.2: the term never goes back, and a vote once given in a term stands.</summary>
    public static bool MayFollow(HardState before, HardState after) =>
        after.Term > before.Term || (after.Term == before.Term && (before.Vote == 0 || after.Vote == before.Vote));

    /// <summary>An entry tells of its term as much as a hard state does.</summary>
    public static HardState Seen(HardState state, LogPosition entry) => entry.Term > state.Term ? new HardState(entry.Term, 0) : state;
}
