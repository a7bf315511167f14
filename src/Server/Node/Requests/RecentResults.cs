using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Results of the last applied commands of kinds 2 and 3. A follower may apply an entry before the leader's answer
/// tells which request the entry belongs to. The answer arrives soon after, and needs the result of one of the last
/// entries.
/// </summary>
internal sealed class RecentResults
{
    /// <summary>Results kept: more than a leader proposes between an append and the answer to a Forward.</summary>
    private const int Kept = 8192;

    private readonly (LogPosition Position, CommandResult Result)[] results = new (LogPosition, CommandResult)[Kept];

    private long count;

    public void Add(LogPosition position, in CommandResult result) => results[count++ % Kept] = (position, result);

    /// <returns>False if the result is no longer known.</returns>
    public bool TryFind(LogPosition position, out CommandResult result)
    {
        result = default;
        // Entries are applied in the order of their indices.
        long low = Math.Max(0, count - Kept);
        long high = count;
        while (low < high)
        {
            long middle = low + (high - low) / 2;
            if (results[middle % Kept].Position.Index < position.Index)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == count || results[low % Kept].Position != position)
            return false;
        (_, result) = results[low % Kept];
        return true;
    }
}
