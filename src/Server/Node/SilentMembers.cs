using Microsoft.Extensions.Logging;
using RaftFast.Consensus;

namespace RaftFast.Server.Node;

/// <summary>
/// Warns of members that are connected to the leader and answer nothing. A member causes no second line before it has
/// answered.
/// </summary>
internal sealed partial class SilentMembers(RaftCore core, IPeerNetwork network, ILogger logger)
{
    private const int TicksPerLook = 100;

    /// <summary>Consecutive checks, a second apart, after which a silent member is reported.</summary>
    private const int LooksToWarning = 5;

    /// <summary>Number of consecutive checks that found the member connected and silent.</summary>
    private readonly SortedList<ulong, int> looks = [];
    private int ticks;

    public void OnTick()
    {
        if (++ticks % TicksPerLook != 0)
            return;
        if (!core.IsLeader)
        {
            looks.Clear();
            return;
        }
        foreach (ulong member in core.Configuration.Servers)
        {
            if (member == core.Id)
                continue;
            bool isSilent = network.CanSend(member) && core.TicksSinceHeard(member) >= TicksPerLook;
            int count = isSilent ? Math.Min(looks.GetValueOrDefault(member) + 1, LooksToWarning + 1) : 0;
            looks[member] = count;
            if (count == LooksToWarning)
                IsSilent(logger, member, LooksToWarning);
        }
    }

    [LoggerMessage(
        LogLevel.Warning,
        "member {Id} is connected, and has answered nothing for {Seconds} s: the connection by which it answers may be "
        + "blocked, or its process hangs; look at the log of that member")]
    private static partial void IsSilent(ILogger logger, ulong id, int seconds);
}
