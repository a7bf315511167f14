using System.Globalization;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>Result of a step.</summary>
/// <param name="Status">The HTTP status or the kind of failure. Few different strings occur.</param>
/// <param name="Bytes">Bytes of the answer's head and body; 0 without an answer.</param>
public readonly record struct Response(bool IsOk, string Status, long Bytes)
{
    private static readonly string[] Texts = Numbers(600);

    public static Response NoConnection { get; } = new(false, "no connection", 0);

    /// <summary>The connection ended before the answer was complete. The request may have taken effect.</summary>
    public static Response ConnectionLost { get; } = new(false, "connection lost", 0);

    public static Response TimedOut { get; } = new(false, "timeout", 0);

    public static Response Malformed { get; } = new(false, "malformed answer", 0);

    public static Response Connected { get; } = new(true, "connected", 0);

    /// <summary>A complete answer. The answer is Ok if its status is 2xx.</summary>
    public static Response Answered(int status, long bytes) => new(status is >= 200 and < 300, Texts[status], bytes);

    private static string[] Numbers(int count)
    {
        string[] texts = new string[count];
        for (int i = 0; i < count; i++)
            texts[i] = i.ToString(CultureInfo.InvariantCulture);
        return texts;
    }
}
