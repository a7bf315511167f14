using System.Globalization;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Tests.Lifetime;

public sealed class FatalErrorTests
{
    public static TheoryData<Exception> OperatingErrors => new()
    {
        new ListenException("first\nsecond"), new IOException("first\nsecond"), new UnauthorizedAccessException("first\nsecond"),
    };

    [Theory]
    [MemberData(nameof(OperatingErrors), DisableDiscoveryEnumeration = true)]
    public void Operating_error_is_one_line_and_exit_code_1(Exception exception)
    {
        using StringWriter error = new(CultureInfo.InvariantCulture);

        Assert.Equal(1, FatalError.Report(exception, error));
        Assert.Equal("raftfast: first\\nsecond\n", error.ToString());
    }

    [Fact]
    public void Broken_invariant_is_a_bug_with_its_stack_and_exit_code_70()
    {
        using StringWriter error = new(CultureInfo.InvariantCulture);
        InvariantException broken = Assert.Throws<InvariantException>(() => Invariant.Hold(Environment.ProcessId < 0));

        Assert.Equal(70, FatalError.Report(broken, error));
        Assert.StartsWith(
            "raftfast: a bug, please report it: invariant does not hold: Environment.ProcessId < 0 (FatalErrorTests.cs:",
            error.ToString(), StringComparison.Ordinal);
        Assert.Contains("   at RaftFast.Protocol.Invariant", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_other_exception_is_a_bug_too()
    {
        using StringWriter error = new(CultureInfo.InvariantCulture);

        Assert.Equal(70, FatalError.Report(new InvalidOperationException("odd"), error));
        Assert.StartsWith(
            "raftfast: a bug, please report it: System.InvalidOperationException: odd\n", error.ToString(), StringComparison.Ordinal);
    }
}
