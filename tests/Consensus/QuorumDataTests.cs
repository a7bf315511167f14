using System.Globalization;
using System.Text.RegularExpressions;
using RaftFast.Tests;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// Another implementation's cases for quorum arithmetic (etcd-io/raft, quorum/testdata), if they are beside the
/// repository, in ../shared/data, or in the folder that RAFTFAST_SHARED_DATA names. A case has a line <c>committed|vote
/// cfg=(ids) [cfgj=(ids)|zero] idx|votes=(…)</c>, a line <c>----</c>, and an output; only its last line counts. The
/// values follow the order of the ids, first cfg and then cfgj, each server once.
/// </summary>
public sealed class QuorumDataTests
{
    private const int Cases = 127;

    [Fact]
    public void Quorums_agree_with_those_of_another_implementation()
    {
        string data = SharedData.FolderOrSkip("etcd-raft/quorum");
        int cases = 0;
        foreach (string file in Directory.EnumerateFiles(data, "*.txt"))
        {
            string[] lines = File.ReadAllLines(file);
            for (int i = 1; i < lines.Length; i++)
            {
                if (lines[i] != "----")
                    continue;
                int end = Array.FindIndex(lines, i, line => line.Length == 0);
                string expected = lines[(end < 0 ? lines.Length : end) - 1];
                Assert.True(
                    Run(lines[i - 1]) == expected.Split('>')[^1], $"{Path.GetFileName(file)}:{i}: {lines[i - 1]}");
                cases++;
            }
        }
        Assert.Equal(Cases, cases);
    }

    private static string Run(string command)
    {
        Dictionary<string, string[]> arguments = [];
        foreach (Match argument in Regex.Matches(command, @"(\w+)=\(([^)]*)\)"))
        {
            string[] values = argument.Groups[2].Value.Split(
                ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            arguments[argument.Groups[1].Value] = values;
        }
        ulong[] voters = Ids("cfg");
        ulong[] outgoing = Ids("cfgj");
        ConfigurationState configuration = Configurations.State(voters, outgoing);
        ulong[] owners = [.. voters.Union(outgoing)];
        string[] given = arguments.GetValueOrDefault(
            command.StartsWith("vote", StringComparison.Ordinal) ? "votes" : "idx", []);
        Assert.Equal(owners.Length, given.Length);
        return command.StartsWith("vote", StringComparison.Ordinal)
            ? $"Vote{Quorum.Count(configuration, ByOrdinal(Ballots))}"
            : Committed(Quorum.CommittedIndex(configuration, ByOrdinal(Index)));

        ulong[] Ids(string name) =>
            [.. arguments.GetValueOrDefault(name, []).Select(id => ulong.Parse(id, CultureInfo.InvariantCulture))];

        T[] ByOrdinal<T>(Func<string, T> parse)
        {
            T[] values = new T[owners.Length];
            for (int i = 0; i < owners.Length; i++)
                values[configuration.OrdinalOf(owners[i])] = parse(given[i]);
            return values;
        }
    }

    private static QuorumAnswer Ballots(string vote) => vote switch
    {
        "y" => QuorumAnswer.Granted,
        "n" => QuorumAnswer.Rejected,
        "_" => QuorumAnswer.Unknown,
        _ => throw new FormatException(vote),
    };

    private static long Index(string index) => index == "_" ? 0 : long.Parse(index, CultureInfo.InvariantCulture);

    private static string Committed(long index) =>
        index == long.MaxValue ? "∞" : index.ToString(CultureInfo.InvariantCulture);
}
