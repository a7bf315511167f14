using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;

namespace RaftFast.Server.Api;

/// <summary>Changes that a watch tells.</summary>
/// <param name="After">Index of the last entry that the client knows; null to begin with the next entry.</param>
internal sealed record WatchRange(byte[] Prefix, long? After, bool WithValues);

/// <summary>Reads the parameters of <c>GET /v1/watch</c>.</summary>
internal static class WatchQuery
{
    /// <param name="lastEventId">
    /// Value of the header Last-Event-ID, which a client sends when it connects again; null without it.
    /// </param>
    /// <returns>The fault and its remedy; null if the range is complete.</returns>
    public static string? Read(string query, string? lastEventId, out WatchRange range)
    {
        range = new WatchRange([], null, WithValues: false);
        // A client that connects again repeats its first target, but knows more changes by now.
        return QueryParameters.Read(query, ref range, ReadOne)
            ?? (lastEventId is null ? null : ReadAfter("Last-Event-ID", lastEventId, ref range));
    }

    private static string? ReadOne(
        string name, in QueryStringEnumerable.EncodedNameValuePair parameter, ref WatchRange range)
    {
        string? wrong;
        switch (name)
        {
            case "prefix":
                wrong = QueryParameters.ReadKey(name, parameter, out byte[] prefix);
                range = range with { Prefix = prefix };
                return wrong;
            case "after":
                return ReadAfter(name, parameter.DecodeValue().Span, ref range);
            case "values":
                wrong = QueryParameters.ReadFlag(name, parameter, out bool withValues);
                range = range with { WithValues = withValues };
                return wrong;
            default:
                return $"/v1/watch has no parameter '{name}': it has prefix, after and values.";
        }
    }

    private static string? ReadAfter(string name, ReadOnlySpan<char> text, ref WatchRange range)
    {
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long after))
            return $"{name} is '{text}'; it must be the index of an entry, as a list or an event names it.";
        range = range with { After = after };
        return null;
    }
}
