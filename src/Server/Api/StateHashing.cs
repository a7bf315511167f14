using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using RaftFast.Server.Node;

namespace RaftFast.Server.Api;

/// <summary>
/// <c>GET /v1/hash?index=</c>: the hash of this member's state at an index of the log, which is the same on every
/// member. Waits for an entry that is not applied yet.
/// </summary>
internal static class StateHashing
{
    /// <summary>Time between two looks: an entry's hash is known for longer after it is applied.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    public static async Task SendAsync(ApiExchange exchange, ApiNode node)
    {
        long? index = null;
        if (QueryParameters.Read(exchange.Query, ref index, ReadOne) is { } wrong)
        {
            await exchange.RefuseAsync(400, wrong);
            return;
        }
        long begun = Stopwatch.GetTimestamp();
        StateHash hash = await node.AskAsync(node => node.HashAt(index));
        while (hash.Index > hash.Applied && Stopwatch.GetElapsedTime(begun) < node.RequestTimeout)
        {
            await Task.Delay(Period, exchange.Aborted);
            hash = await node.AskAsync(node => node.HashAt(index));
        }
        if (hash.Digest is { } digest)
        {
            HashJson json = new(hash.Index, digest.ToString("x32", CultureInfo.InvariantCulture));
            await exchange.SendJsonAsync(json, ApiJson.Default.HashJson);
        }
        else if (hash.Index > hash.Applied)
        {
            await exchange.RefuseAsync(503, $"This member has applied the log up to entry {hash.Applied}, and entry "
                + $"{hash.Index} did not come within --request-timeout: ask again when the log is longer.");
        }
        else
        {
            await exchange.RefuseAsync(410, $"This member knows the hashes of its states from entry {hash.Oldest} on: "
                + "ask for a later entry, best for one that no member has applied yet.");
        }
    }

    private static string? ReadOne(
        string name, in QueryStringEnumerable.EncodedNameValuePair parameter, ref long? index)
    {
        if (name != "index")
            return $"/v1/hash has no parameter '{name}': it has index.";
        ReadOnlySpan<char> text = parameter.DecodeValue().Span;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long given))
            return $"index is '{text}'; it must be the index of an entry, as in /v1/hash?index=1000.";
        index = given;
        return null;
    }
}

/// <summary>Answer to <c>GET /v1/hash</c>.</summary>
internal sealed record HashJson(long Index, string Hash);
