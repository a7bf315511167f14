using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Node;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Tests.Lifetime;

public sealed class FatalErrorTests
{
    public static TheoryData<Exception> OperatingErrors => new()
    {
        new ListenException("first\nsecond"), new IOException("first\nsecond"),
        new UnauthorizedAccessException("first\nsecond"), new StateDiffersException("first\nsecond"),
    };

    [Theory]
    [MemberData(nameof(OperatingErrors), DisableDiscoveryEnumeration = true)]
    public void Operating_error_is_one_line_and_exit_code_1(Exception exception)
    {
        string error = FatalError.Describe(exception, out int exitCode);
        Assert.Equal(1, exitCode);
        Assert.Equal("raftfast: first\\nsecond\n", error);
    }

    [Fact]
    public void Broken_invariant_is_a_bug_with_its_stack_and_exit_code_70()
    {
        InvariantException broken = Assert.Throws<InvariantException>(() => Invariant.Hold(Environment.ProcessId < 0));

        string error = FatalError.Describe(broken, out int exitCode);
        Assert.Equal(70, exitCode);
        Assert.StartsWith(
            "raftfast: a bug, please report it: invariant does not hold: "
            + "Environment.ProcessId < 0 (FatalErrorTests.cs:",
            error, StringComparison.Ordinal);
        Assert.Contains("   at RaftFast.Protocol.Invariant", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_other_exception_is_a_bug_too()
    {
        string error = FatalError.Describe(new InvalidOperationException("odd"), out int exitCode);
        Assert.Equal(70, exitCode);
        Assert.StartsWith(
            "raftfast: a bug, please report it: System.InvalidOperationException: odd\n",
            error, StringComparison.Ordinal);
    }
}
