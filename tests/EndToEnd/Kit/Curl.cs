using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// Runs the real curl, without the user's configuration or a proxy, for at most <see cref="SecondsMax"/>.
/// </summary>
internal static class Curl
{
    public const int SecondsMax = 20;

    public static CurlResult Run(params IEnumerable<string> arguments) => RunWithInput([], arguments);

    public static CurlResult RunWithInput(byte[] input, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("curl")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // -q counts only as the first argument. -g and --path-as-is leave the target as the test wrote it.
        string[] always = ["-q", "-sS", "-g", "--path-as-is", "--noproxy", "*", "--max-time", $"{SecondsMax}", "-i"];
        foreach (string argument in always.Concat(arguments))
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        using MemoryStream output = new();
        Task copied = process.StandardOutput.BaseStream.CopyToAsync(output);
        try
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // curl got its answer before it had read all of its input.
        }
        copied.GetAwaiter().GetResult();
        process.WaitForExit();
        return Parse(process.ExitCode, output.ToArray(), error.GetAwaiter().GetResult());
    }

    public static CurlResult Get(string url) => Run(url);

    public static CurlResult Put(string url, string value) => Run("-X", "PUT", "--data-binary", value, url);

    private static CurlResult Parse(int exitCode, ReadOnlySpan<byte> output, string error)
    {
        List<int> interim = [];
        while (true)
        {
            int end = output.IndexOf("\r\n\r\n"u8);
            if (end < 0)
                return new CurlResult(exitCode, interim, "", 0, "", [], output.ToArray(), error);
            string[] head = Encoding.ASCII.GetString(output[..end]).Split("\r\n");
            output = output[(end + 4)..];
            string[] statusLine = head[0].Split(' ', 3);
            int status = int.Parse(statusLine[1], CultureInfo.InvariantCulture);
            if (status is >= 100 and < 200)
            {
                interim.Add(status);
                continue;
            }
            List<KeyValuePair<string, string>> headers = [];
            foreach (string line in head.Skip(1))
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                headers.Add(new(line[..colon], line[(colon + 1)..].Trim()));
            }
            return new CurlResult(
                exitCode, interim, statusLine[0], status, statusLine.ElementAtOrDefault(2) ?? "", headers,
                output.ToArray(), error);
        }
    }
}

/// <summary>Result of one run of curl.</summary>
/// <param name="Interim">Statuses of the 1xx answers before the final answer.</param>
/// <param name="Status">Status of the final answer, or 0 if none came.</param>
internal sealed record CurlResult(
    int ExitCode, IReadOnlyList<int> Interim, string Version, int Status, string Reason,
    IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body, string Error)
{
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Returns the value of the only header of that name, or null.</summary>
    public string? Header(string name) =>
        Headers.SingleOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    public bool Has(string name) => Headers.Any(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Returns all elements of a header that is a list, from all its lines (RFC 9110 §5.3).</summary>
    public IEnumerable<string> Elements(string name) =>
        from header in Headers
        where header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)
        from element in header.Value.Split(',')
        select element.Trim();

    public override string ToString() =>
        $"curl exit {ExitCode}, status {Status} {Reason}, body '{Text}', stderr '{Error}'";
}
