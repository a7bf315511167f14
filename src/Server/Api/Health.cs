using System.Globalization;
using System.Text;
using RaftFast.Server.Node;
using RaftFast.Server.Recovery;

namespace RaftFast.Server.Api;

/// <summary>
/// Two questions of a supervisor. "Does the process live?" is answered no only when its loop has not turned for a long
/// time: a restart would mend nothing else. "Can it serve?" is answered no whenever requests fail.
/// </summary>
internal static class Health
{
    private const string PlainText = "text/plain; charset=utf-8";

    /// <summary>Time without a turn of the loop after which the process counts as dead.</summary>
    private static readonly TimeSpan TurnMax = TimeSpan.FromSeconds(10);

    /// <summary>Time for a read to be confirmed: during an election, a member is not ready.</summary>
    private static readonly TimeSpan ReadMax = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Answers 200 while the loop turns, with or without a leader, and also when the disk hangs: a restart would take a
    /// member away that is needed.
    /// </summary>
    public static async Task LiveAsync(ApiExchange exchange, ApiNode? node)
    {
        if (node is null)
        {
            await SendAsync(exchange, [new("loop", true, "the node starts")]);
            return;
        }
        // A process that was stopped and continues finds an old time here, until its loop has turned once.
        if (node.SinceTurn >= TurnMax)
            await AskAnythingAsync(node);
        TimeSpan since = node.SinceTurn;
        await SendAsync(exchange,
        [
            new("loop", since < TurnMax, string.Create(
                CultureInfo.InvariantCulture, $"turned {(long)since.TotalMilliseconds} ms ago")),
        ]);
    }

    public static async Task ReadyAsync(ApiExchange exchange, ApiNode? node, StartProgress start)
    {
        if (node is null)
        {
            await SendAsync(exchange, [new("start", false, start.Text)]);
            return;
        }
        Task<bool> read = node.Reads.ConfirmAsync();
        (ulong leader, bool lacksRoom, bool isOverdue) = await node.AskAsync(
            static node => (node.Core.LeaderId, node.Core.LacksRoom, node.Core.LogWriteIsOverdue));
        bool isConfirmed = await ConfirmedAsync(read);
        await SendAsync(exchange,
        [
            new("leader", leader != 0, leader == 0
                ? "no leader is known: an election is under way, or this member reaches no majority"
                : $"member {leader} leads"),
            new("read", isConfirmed, isConfirmed
                ? "a fresh read index is confirmed and applied"
                : "no fresh read index was confirmed and applied within 1 s"),
            new("disk", !lacksRoom, lacksRoom ? "the disk has no room for the log: free space there" : "has room"),
            new("write", !isOverdue, isOverdue
                ? "the oldest write of the log does not return: check the disk" : "none is overdue"),
        ]);
    }

    private static async Task AskAnythingAsync(ApiNode node)
    {
        try
        {
            await node.AskAsync(static _ => true);
        }
        catch (LoopSilentException)
        {
            // The caller looks at the time of the last turn.
        }
    }

    private static async Task<bool> ConfirmedAsync(Task<bool> read)
    {
        try
        {
            return await read.WaitAsync(ReadMax);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static Task SendAsync(ApiExchange exchange, ReadOnlySpan<Check> checks)
    {
        bool isWell = true;
        StringBuilder lines = new();
        foreach (Check check in checks)
        {
            isWell &= check.IsWell;
            lines.Append(check.IsWell ? "ok      " : "failed  ").Append(check.Name).Append(": ").Append(check.Reason)
                .Append('\n');
        }
        return exchange.SendAsync(isWell ? 200 : 503, PlainText, Encoding.UTF8.GetBytes(lines.ToString()));
    }

    private readonly record struct Check(string Name, bool IsWell, string Reason);
}
