using System.Text;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>What curl made of one exchange.</summary>
/// <param name="Interim">Statuses of 1xx answers before the final one.</param>
/// <param name="Status">0 when there was no answer.</param>
internal sealed record CurlResult(
    int ExitCode, IReadOnlyList<int> Interim, string Version, int Status, string Reason,
    IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body, string Error)
{
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>The value of the one header of that name, or null.</summary>
    public string? Header(string name) =>
        Headers.SingleOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    public bool Has(string name) => Headers.Any(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>All elements of a header that is a list, over all its lines (RFC 9110 §5.3).</summary>
    public IEnumerable<string> Elements(string name) =>
        from header in Headers
        where header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)
        from element in header.Value.Split(',')
        select element.Trim();

    public override string ToString() => $"curl exit {ExitCode}, status {Status} {Reason}, body '{Text}', stderr '{Error}'";
}
