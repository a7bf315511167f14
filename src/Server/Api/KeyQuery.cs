using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Api;

/// <summary>Reads the parameters of <c>GET /v1/keys</c>.</summary>
internal static class KeyQuery
{
    private const string Parameters = "prefix, after, limit and values";

    /// <returns>What is wrong, and what would be right; null if the range is complete.</returns>
    public static string? Read(string query, out KeyRange range)
    {
        range = new KeyRange([], [], KeyPage.KeysMax, WithValues: false);
        HashSet<string> seen = [];
        foreach (QueryStringEnumerable.EncodedNameValuePair pair in new QueryStringEnumerable(query))
        {
            string name = pair.DecodeName().ToString();
            if (!seen.Add(name))
                return $"{name} is given twice: send it once.";
            string? wrong = name switch
            {
                "prefix" => ReadKey(pair, name, ref range, static (range, key) => range with { Prefix = key }),
                "after" => ReadKey(pair, name, ref range, static (range, key) => range with { After = key }),
                "limit" => ReadLimit(pair.DecodeValue().Span, ref range),
                "values" => ReadValues(pair.DecodeValue().Span, ref range),
                _ => $"/v1/keys has no parameter '{name}': it has {Parameters}.",
            };
            if (wrong is not null)
                return wrong;
        }
        return null;
    }

    private static string? ReadKey(
        in QueryStringEnumerable.EncodedNameValuePair pair, string name, ref KeyRange range,
        Func<KeyRange, byte[], KeyRange> with)
    {
        byte[]? key = PercentEncoding.TryDecode(pair.EncodedValue.Span);
        if (key is null)
        {
            return $"{name} has a '%' without two hexadecimal digits after it: give it percent-encoded, as in the "
                + $"answers: {name}=/a%2520b for the key of GET /a%20b.";
        }
        if (key.Length > 0 && key[0] != '/')
            return $"{name} does not begin with '/', as every key does: give it as in {name}=/users/.";
        if (key.Length > PutCommand.KeyBytesMax)
            return $"{name} has {key.Length} bytes; a key has {PutCommand.KeyBytesMax} at most.";
        range = with(range, key);
        return null;
    }

    private static string? ReadLimit(ReadOnlySpan<char> text, ref KeyRange range)
    {
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit);
        if (!isNumber || limit is < 1 or > KeyPage.KeysMax)
            return $"limit is '{text}'; it must be a number from 1 to {KeyPage.KeysMax}.";
        range = range with { Limit = limit };
        return null;
    }

    private static string? ReadValues(ReadOnlySpan<char> text, ref KeyRange range)
    {
        if (text is not ("true" or "false"))
            return $"values is '{text}'; it must be true or false.";
        range = range with { WithValues = text is "true" };
        return null;
    }
}
