using System.Globalization;
using RaftFast.Protocol;
using RaftFast.Tests;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// Another implementation's cases for changes of configuration (etcd-io/raft, confchange/testdata), if they are beside
/// the repository. A case has a line <c>simple|enter-joint [autoleave=true]|leave-joint</c>, a line of changes (vN
/// voter, lN learner, rN remove, uN update), a line <c>----</c>, and the resulting configuration or an error. Each file
/// begins with no members, and each case continues from the one before.
/// </summary>
public sealed class ConfigurationDataTests
{
    private const int Steps = 58;

    [Fact]
    public void Changes_of_configuration_agree_with_those_of_another_implementation()
    {
        string data = SharedData.FolderOrSkip("etcd-raft/confchange");
        int steps = 0;
        foreach (string file in Directory.EnumerateFiles(data, "*.txt"))
        {
            ClusterConfiguration current = Configurations.Cluster([]);
            string[] lines = File.ReadAllLines(file);
            for (int i = 1; i < lines.Length - 1; i++)
            {
                if (lines[i] != "----")
                    continue;
                int start = i - 1;
                while (!IsCommand(lines[start]))
                    start--;
                string actual = Run(lines[start], string.Join(' ', lines[(start + 1)..i]), ref current);
                Assert.True(actual == lines[i + 1], $"{Path.GetFileName(file)}:{i + 1}: {lines[i + 1]} is {actual}");
                steps++;
            }
        }
        Assert.Equal(Steps, steps);
    }

    private static bool IsCommand(string line) => line.Split(' ')[0] is "simple" or "enter-joint" or "leave-joint";

    private static string Run(string command, string arguments, ref ClusterConfiguration current)
    {
        MemberEdit[] changes = [.. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Change)];
        bool leavesJointItself = command.EndsWith("autoleave=true", StringComparison.Ordinal);
        MemberEditError error;
        ClusterConfiguration? next = command.Split(' ')[0] switch
        {
            "simple" => ConfigurationEditor.Simple(current, changes, out error),
            "enter-joint" => ConfigurationEditor.EnterJoint(current, leavesJointItself, changes, out error),
            _ => ConfigurationEditor.LeaveJoint(current, out error),
        };
        Assert.Equal(error == MemberEditError.None, next is not null);
        if (next is null)
            return Describe(error, command);
        current = next;
        return Describe(next);
    }

    private static MemberEdit Change(string token)
    {
        ulong id = ulong.Parse(token.AsSpan(1), CultureInfo.InvariantCulture);
        MemberEditKind kind = token[0] switch
        {
            'v' => MemberEditKind.AddVoter,
            'l' => MemberEditKind.AddLearner,
            'r' => MemberEditKind.Remove,
            'u' => MemberEditKind.Move,
            _ => throw new FormatException(token),
        };
        return new MemberEdit(kind, id, Configurations.AddressOf(id));
    }

    private static string Describe(MemberEditError error, string command) => error switch
    {
        MemberEditError.RemovesAllVoters => "removed all voters",
        MemberEditError.ChangesSeveralVoters => "more than one voter changed without entering joint config",
        MemberEditError.IsJoint when command == "simple" => "can't apply simple config change in joint config",
        MemberEditError.IsJoint => "config is already joint",
        MemberEditError.IsNotJoint => "can't leave a non-joint config",
        MemberEditError.HasNoVoters => "can't make a zero-voter config joint",
        _ => error.ToString(),
    };

    private static string Describe(ClusterConfiguration configuration)
    {
        string voters = $"voters=({Ids(configuration, member => member.Role == MemberRole.Voter)})";
        if (configuration.IsJoint)
            voters += $"&&({Ids(configuration, member => member.IsOutgoingVoter)})";
        string learners = Ids(configuration, member => member is { Role: MemberRole.Learner, IsOutgoingVoter: false });
        string learnersNext = Ids(
            configuration, member => member is { Role: MemberRole.Learner, IsOutgoingVoter: true });
        return voters
            + (learners.Length > 0 ? $" learners=({learners})" : "")
            + (learnersNext.Length > 0 ? $" learners_next=({learnersNext})" : "")
            + (configuration.LeavesJointItself ? " autoleave" : "");
    }

    private static string Ids(ClusterConfiguration configuration, Func<Member, bool> isMeant) =>
        string.Join(' ', configuration.Members.Where(isMeant).Select(member => member.Id));
}
