using Microsoft.AspNetCore.WebUtilities;
using RaftFast.Protocol;

namespace RaftFast.Server.Api;

/// <summary>Reads one parameter of a query.</summary>
/// <returns>The fault and its remedy; null if the value is valid.</returns>
internal delegate string? ReadParameter<T>(
    string name, in QueryStringEnumerable.EncodedNameValuePair parameter, ref T range);

/// <summary>Reads the parameters of a query, each of which may be given once.</summary>
internal static class QueryParameters
{
    /// <returns>The fault and its remedy; null if all parameters are valid.</returns>
    public static string? Read<T>(string query, ref T range, ReadParameter<T> read)
    {
        HashSet<string> seen = [];
        foreach (QueryStringEnumerable.EncodedNameValuePair parameter in new QueryStringEnumerable(query))
        {
            string name = parameter.DecodeName().ToString();
            if (!seen.Add(name))
                return $"{name} is given twice: send it once.";
            if (read(name, parameter, ref range) is { } wrong)
                return wrong;
        }
        return null;
    }

    /// <returns>The fault and its remedy; null if the value is a key, or the beginning of keys.</returns>
    public static string? ReadKey(
        string name, in QueryStringEnumerable.EncodedNameValuePair parameter, out byte[] key)
    {
        key = PercentEncoding.TryDecode(parameter.EncodedValue.Span) ?? [];
        if (key.Length == 0 && !parameter.EncodedValue.IsEmpty)
        {
            return $"{name} has a '%' without two hexadecimal digits after it: give it percent-encoded, as in the "
                + $"answers: {name}=/a%2520b for the key of GET /a%20b.";
        }
        if (key.Length > 0 && key[0] != '/')
            return $"{name} does not begin with '/', as every key does: give it as in {name}=/users/.";
        return key.Length > PutCommand.KeyBytesMax
            ? $"{name} has {key.Length} bytes; a key has {PutCommand.KeyBytesMax} at most."
            : null;
    }

    /// <returns>The fault and its remedy; null if the value is true or false.</returns>
    public static string? ReadFlag(
        string name, in QueryStringEnumerable.EncodedNameValuePair parameter, out bool flag)
    {
        ReadOnlySpan<char> text = parameter.DecodeValue().Span;
        flag = text is "true";
        return text is "true" or "false" ? null : $"{name} is '{text}'; it must be true or false.";
    }
}
