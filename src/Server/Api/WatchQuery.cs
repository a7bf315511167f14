using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using RaftFast.Protocol;

namespace RaftFast.Server.Api;

/// <summary>What a watch is to tell.</summary>
/// <param name="After">Index of the last entry that the client knows; null to begin with the next entry.</param>
internal sealed record WatchRange(byte[] Prefix, long? After, bool WithValues);

/// <summary>Reads the parameters of <c>GET /v1/watch</c>.</summary>
internal static class WatchQuery
{
    /// <param name="lastEventId">The header of this name, which a client sends when it connects again; null without
    /// it.</param>
    /// <returns>What is wrong, and what would be right; null if the range is complete.</returns>
    public static string? Read(string query, string? lastEventId, out WatchRange range)
    {
        range = new WatchRange([], null, WithValues: false);
        HashSet<string> seen = [];
        foreach (QueryStringEnumerable.EncodedNameValuePair pair in new QueryStringEnumerable(query))
        {
            string name = pair.DecodeName().ToString();
            if (!seen.Add(name))
                return $"{name} is given twice: send it once.";
            string? wrong = name switch
            {
                "prefix" => ReadPrefix(pair.EncodedValue.Span, ref range),
                "after" => ReadAfter(name, pair.DecodeValue().Span, ref range),
                "values" => ReadValues(pair.DecodeValue().Span, ref range),
                _ => $"/v1/watch has no parameter '{name}': it has prefix, after and values.",
            };
            if (wrong is not null)
                return wrong;
        }
        // The client has read on since its first request, whose target is repeated.
        return lastEventId is null ? null : ReadAfter("Last-Event-ID", lastEventId, ref range);
    }

    private static string? ReadPrefix(ReadOnlySpan<char> text, ref WatchRange range)
    {
        byte[]? prefix = PercentEncoding.TryDecode(text);
        if (prefix is null)
        {
            return "prefix has a '%' without two hexadecimal digits after it: give it percent-encoded, as in the "
                + "events: prefix=/a%2520b for the keys that begin as that of GET /a%20b.";
        }
        if (prefix.Length > 0 && prefix[0] != '/')
            return "prefix does not begin with '/', as every key does: give it as in prefix=/users/.";
        if (prefix.Length > PutCommand.KeyBytesMax)
            return $"prefix has {prefix.Length} bytes; a key has {PutCommand.KeyBytesMax} at most.";
        range = range with { Prefix = prefix };
        return null;
    }

    private static string? ReadAfter(string name, ReadOnlySpan<char> text, ref WatchRange range)
    {
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long after))
            return $"{name} is '{text}'; it must be the index of an entry, as a list or an event names it.";
        range = range with { After = after };
        return null;
    }

    private static string? ReadValues(ReadOnlySpan<char> text, ref WatchRange range)
    {
        if (text is not ("true" or "false"))
            return $"values is '{text}'; it must be true or false.";
        range = range with { WithValues = text is "true" };
        return null;
    }
}
