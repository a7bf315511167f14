namespace RaftFast.Linearizability.Tests;

public sealed class JepsenRegisterLogTests
{
    [Fact]
    public void Each_kind_of_line_is_understood()
    {
        IReadOnlyList<Operation> operations = JepsenRegisterLog.Parse(
        [
            "INFO  jepsen.util - 0\t:invoke\t:read\tnil",
            "INFO  jepsen.util - 1\t:invoke\t:write\t4",
            "INFO  jepsen.util - 0\t:ok\t:read\tnil",
            "INFO  jepsen.util - 1\t:ok\t:write\t4",
            "INFO  jepsen.util - 10  \t:invoke\t:cas   \t[4 0]",
            "INFO  jepsen.util - 10  \t:fail\t:cas   \t[4 0]",
            "INFO  jepsen.util - 10\t:invoke\t:cas\t[4 1]",
            "INFO  jepsen.util - 10\t:ok\t:cas\t[4 1]",
            "INFO  jepsen.util - 2\t:invoke\t:read\tnil",
            "INFO  jepsen.util - 2\t:fail\t:read\t:timed-out",
            "INFO  jepsen.util - 2\t:invoke\t:cas\t[1 2]",
            "INFO  jepsen.util - 2\t:info\t:cas\t:timed-out",
            "INFO  jepsen.util - 3\t:invoke\t:write\t3",
            "INFO  jepsen.util - 3\t:info\t:write\t:timed-out",
            "INFO  jepsen.util - 4\t:invoke\t:write\t5",
        ]);

        Assert.Equal(
            [
                Operation.Get(0, 0, 1).Returned(RegisterValue.Absent, 3),
                Operation.Put(1, 0, 4, 2).Succeeded(4),
                Operation.CompareAndSet(10, 0, 4, 0, 5).Mismatched(6),
                Operation.CompareAndSet(10, 0, 4, 1, 7).Succeeded(8),
                Operation.CompareAndSet(2, 0, 1, 2, 11),
                Operation.Put(3, 0, 3, 13),
                Operation.Put(4, 0, 5, 15),
            ],
            operations);
    }

    [Theory]
    [InlineData("INFO  jepsen.util - 0\t:invoke\t:drain\tnil")]
    [InlineData("INFO  jepsen.util - 0\t:ok\t:read\t3")]
    [InlineData("INFO  jepsen.core - 0\t:invoke\t:read\tnil")]
    [InlineData("INFO  jepsen.util - 0\t:invoke\t:write\t3", "INFO  jepsen.util - 0\t:ok\t:write\t4")]
    [InlineData("INFO  jepsen.util - 0\t:invoke\t:write\t3", "INFO  jepsen.util - 0\t:fail\t:write\t3")]
    [InlineData("INFO  jepsen.util - 0\t:invoke\t:read\tnil", "INFO  jepsen.util - 0\t:ok\t:cas\t[1 2]")]
    public void Any_other_line_is_refused(params string[] lines) =>
        Assert.Throws<FormatException>(() => JepsenRegisterLog.Parse(lines));
}
