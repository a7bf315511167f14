using System.Globalization;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;

namespace RaftFast.Server.Api;

/// <summary>Faults of a member, in sentences that say what to do.</summary>
internal static class Ailments
{
    /// <summary>An election timeout: after it the leader counts the follower in no majority.</summary>
    private const double SilentSeconds = 1;

    /// <summary>Entries that a healthy follower lacks only for a moment.</summary>
    private const long LagMax = 10_000;

    public static IReadOnlyList<string> OfSelf(Observation seen)
    {
        NodeReport node = seen.Node;
        List<string> ails = [];
        if (node.LeaderId == 0)
            ails.Add("No leader is known: an election is under way, or this member reaches no majority.");
        if (node.LogWriteIsOverdue)
            ails.Add("A write of the log does not return: check this member's disk.");
        if (seen.ReceivingHangs)
            ails.Add("A write of a received snapshot does not return: check this member's disk.");
        if (node.LacksRoom)
            ails.Add("The disk has no room for the log: free space there.");
        if (node.StateBytes >= node.StateBytesMax)
            ails.Add("Keys and values have reached --state-max: give the members more memory.");
        if (node.Committed - node.Applied > LagMax)
            ails.Add("Committed entries wait to be applied: this member is too busy.");
        if (node.Snapshots.Failed > 0 && node.Snapshots.Taken == 0)
            ails.Add("Snapshots fail because the disk has no room: free space there.");
        return ails;
    }

    /// <param name="progress">The leader's knowledge of the member; null on other members.</param>
    public static IReadOnlyList<string> OfOther(
        NodeReport node, Member member, FollowerProgress? progress, bool isConnected)
    {
        List<string> ails = [];
        if (!isConnected)
            ails.Add($"Not connected: is it down, or is {member.Address} wrong?");
        if (progress is not { } follower)
            return ails;
        double silence = Words.SecondsOf(follower.TicksSinceHeard);
        if (silence >= SilentSeconds)
        {
            ails.Add(string.Create(
                CultureInfo.InvariantCulture, $"Silent for {silence:F0} s: it counts in no majority."));
        }
        if (follower.LacksRoom)
            ails.Add("Its disk has no room for the log: free space there.");
        if (follower.State == ProgressState.Snapshot)
            ails.Add("It lacks compacted entries and gets a snapshot.");
        else if (node.Last.Index - follower.Match > LagMax)
            ails.Add("It is far behind: its disk, its processor or the network is too slow.");
        return ails;
    }
}
