using System.Text;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>Compares the answers of members with the promises that writers got.</summary>
internal static class Verification
{
    /// <summary>Maximum number of requests sent before their answers are read.</summary>
    private const int Pipelined = 64;

    /// <summary>
    /// Asserts that every node has the same allowed value of every key: the last acknowledged value, or a later value
    /// whose outcome is unknown. A refused value is never allowed. The writes must be all writes of the keys.
    /// </summary>
    public static void EveryMemberKeeps(IEnumerable<Write> writes, IReadOnlyList<ClusterNode> nodes)
    {
        Dictionary<string, List<string?>> allowed = AllowedValues(writes);
        string[] targets = [.. allowed.Keys];
        string?[][] answers = [.. nodes.Select(node => Read(node, targets))];
        List<string> wrong = [];
        for (int i = 0; i < targets.Length; i++)
        {
            List<string?> values = allowed[targets[i]];
            for (int n = 0; n < nodes.Count; n++)
            {
                if (values.Contains(answers[n][i]) && answers[n][i] == answers[0][i])
                    continue;
                wrong.Add(
                    $"{targets[i]} on member {nodes[n].Id}: {answers[n][i] ?? "absent"}; "
                    + $"allowed: {string.Join(" or ", values.Select(value => value ?? "absent"))}; "
                    + $"member {nodes[0].Id}: {answers[0][i] ?? "absent"}");
            }
        }
        if (wrong.Count > 0)
        {
            string shown = string.Join('\n', wrong.Take(20));
            string logs = string.Join('\n', nodes);
            Assert.Fail($"{wrong.Count} answers of {targets.Length} keys are wrong:\n{shown}\n{logs}");
        }
    }

    private static Dictionary<string, List<string?>> AllowedValues(IEnumerable<Write> writes)
    {
        Dictionary<string, List<string?>> allowed = [];
        foreach (Write write in writes)
        {
            if (!allowed.TryGetValue(write.Target, out List<string?>? values))
                allowed.Add(write.Target, values = [null]);
            if (write.Outcome == WriteOutcome.Acknowledged)
                values.Clear();
            if (write.Outcome != WriteOutcome.Refused)
                values.Add(write.Value);
        }
        return allowed;
    }

    private static string?[] Read(ClusterNode node, string[] targets)
    {
        string?[] values = new string?[targets.Length];
        using HttpConnection connection = HttpConnection.Open(node.HttpPort);
        for (int first = 0; first < targets.Length; first += Pipelined)
        {
            int end = Math.Min(first + Pipelined, targets.Length);
            for (int i = first; i < end; i++)
                connection.Send("GET", targets[i]);
            for (int i = first; i < end; i++)
            {
                HttpAnswer answer = connection.Receive();
                values[i] = answer.Status switch
                {
                    200 => Encoding.UTF8.GetString(answer.Body),
                    404 => null,
                    _ => throw new InvalidOperationException($"GET {targets[i]}: {answer.Status} {answer.Text}{node}"),
                };
            }
        }
        return values;
    }
}
