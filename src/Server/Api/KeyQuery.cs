using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Api;

/// <summary>Reads the parameters of <c>GET /v1/keys</c>.</summary>
internal static class KeyQuery
{
    /// <returns>The fault and its remedy; null if the range is complete.</returns>
    public static string? Read(string query, out KeyRange range)
    {
        range = new KeyRange([], [], KeyPage.KeysMax, WithValues: false);
        return QueryParameters.Read(query, ref range, ReadOne);
    }

    private static string? ReadOne(
        string name, in QueryStringEnumerable.EncodedNameValuePair parameter, ref KeyRange range)
    {
        string? wrong;
        switch (name)
        {
            case "prefix":
                wrong = QueryParameters.ReadKey(name, parameter, out byte[] prefix);
                range = range with { Prefix = prefix };
                return wrong;
            case "after":
                wrong = QueryParameters.ReadKey(name, parameter, out byte[] after);
                range = range with { After = after };
                return wrong;
            case "limit":
                return ReadLimit(parameter.DecodeValue().Span, ref range);
            case "values":
                wrong = QueryParameters.ReadFlag(name, parameter, out bool withValues);
                range = range with { WithValues = withValues };
                return wrong;
            default:
                return $"/v1/keys has no parameter '{name}': it has prefix, after, limit and values.";
        }
    }

    private static string? ReadLimit(ReadOnlySpan<char> text, ref KeyRange range)
    {
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit);
        if (!isNumber || limit is < 1 or > KeyPage.KeysMax)
            return $"limit is '{text}'; it must be a number from 1 to {KeyPage.KeysMax}.";
        range = range with { Limit = limit };
        return null;
    }
}
