using System.Globalization;
using RaftFast.Consensus;
using RaftFast.Protocol;

namespace RaftFast.Server.Api;

/// <summary>
/// <c>POST /v1/leader?to=N</c>: the leader hands over to member N, or without a parameter to the most up-to-date voter
/// (thesis §3.10). The answer comes when the other member leads.
/// </summary>
internal static class Leadership
{
    /// <summary>
    /// A hand-over takes an election timeout at most, and its outcome is known within another election timeout.
    /// </summary>
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    public static async Task HandOverAsync(ApiExchange exchange, ApiNode node)
    {
        ulong to = 0;
        string? text = exchange.Parameter("to");
        bool isGiven = exchange.HasParameter("to");
        bool isId = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out to) && to > 0;
        if (isGiven && !isId)
        {
            await exchange.RefuseAsync(400, $"to is '{text}'; it must be the id of a voter, as in /v1/leader?to=2.");
            return;
        }
        (HandOverStart start, ulong leader, ulong self) =
            await node.AskAsync(node => (node.HandOverTo(to), node.Core.LeaderId, node.Core.Id));
        switch (start)
        {
            case HandOverStart.Leads:
                await exchange.SendJsonAsync(new LeaderJson(self), ApiJson.Default.LeaderJson);
                break;
            case HandOverStart.Begun:
                await AwaitAsync(exchange, node, self, to);
                break;
            case HandOverStart.NotLeader:
                await RefuseAtFollowerAsync(exchange, node, leader);
                break;
            case HandOverStart.NoVoter:
                await exchange.RefuseAsync(
                    409, $"Member {to} is no voter, so it can't lead: /v1/members lists the voters.");
                break;
            default:
                await exchange.RefuseAsync(409, to == 0
                    ? "No other voter answers: nothing has changed."
                    : $"Member {to} has not answered for an election timeout, or another hand-over is under way: "
                        + "nothing has changed; try again.");
                break;
        }
    }

    private static async Task AwaitAsync(ApiExchange exchange, ApiNode node, ulong self, ulong to)
    {
        long end = Environment.TickCount64 + (long)TimeMax.TotalMilliseconds;
        while (Environment.TickCount64 < end)
        {
            (ulong leader, bool isUnderWay) =
                await node.AskAsync(static node => (node.Core.LeaderId, node.Core.IsHandingOver));
            if (leader != self && leader != 0)
            {
                if (to == 0 || leader == to)
                    await exchange.SendJsonAsync(new LeaderJson(leader), ApiJson.Default.LeaderJson);
                else
                    await exchange.RefuseAsync(503, $"Member {leader} leads now, not member {to}: try again there.");
                return;
            }
            if (leader == self && !isUnderWay)
                break;
            await Task.Delay(Period);
        }
        await exchange.RefuseAsync(
            503, "No other member has taken over within an election timeout: /v1/status says who leads; try again.");
    }

    private static Task RefuseAtFollowerAsync(ApiExchange exchange, ApiNode node, ulong leader)
    {
        if (leader == 0)
            return exchange.RefuseAsync(503, "No leader is known: nothing has changed; try again.");
        string at = node.Acceptor.AnnouncementOf(leader)?.ApiUrl is { Length: > 0 } url ? $", at {url}/v1/leader" : "";
        return exchange.RefuseAsync(409, $"Member {leader} leads: send the request there{at}.");
    }
}

/// <summary>Answer to <c>POST /v1/leader</c>.</summary>
internal sealed record LeaderJson(ulong Leader);
