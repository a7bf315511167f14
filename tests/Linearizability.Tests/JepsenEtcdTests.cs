using System.Diagnostics;
using RaftFast.Tests;

namespace RaftFast.Linearizability.Tests;

/// <summary>
/// Histories of a register in etcd, recorded by Jepsen (2014), with verdicts on which other checkers agree.
/// </summary>
public sealed class JepsenEtcdTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_recorded_history_gets_its_published_verdict()
    {
        string folder = SharedData.FolderOrSkip("jepsen-etcd");
        List<string> wrong = [];
        int linearizable = 0;
        int violations = 0;
        foreach (string line in File.ReadLines(Path.Combine(folder, "verdicts.txt")))
        {
            string[] words = line.Split(' ');
            string log = Path.Combine(folder, words[0]);
            IReadOnlyList<Operation> operations = JepsenRegisterLog.Parse(File.ReadLines(log));

            long start = Stopwatch.GetTimestamp();
            CheckResult result = LinearizabilityChecker.Check(operations);
            output.WriteLine($"{line}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F2} ms");

            string verdict = result.Linearizable ? "linearizable" : "violation";
            if (verdict != words[1])
                wrong.Add($"{words[0]}: {result}");
            linearizable += result.Linearizable ? 1 : 0;
            violations += result.Linearizable ? 0 : 1;
        }
        Assert.Empty(wrong);
        Assert.Equal((23, 79), (linearizable, violations));
    }
}
