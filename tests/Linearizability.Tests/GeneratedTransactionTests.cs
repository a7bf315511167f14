namespace RaftFast.Linearizability.Tests;

public sealed class GeneratedTransactionTests
{
    private const int Seeds = 300;
    private const int Steps = 400;

    [Fact]
    public void Each_history_of_the_model_is_accepted()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            string? violation = TransactionChecker.Check(
                GeneratedTransactions.Make(seed, Steps), GeneratedTransactions.Keys);
            Assert.True(violation is null, $"seed {seed}: {violation}");
        }
    }

    [Theory]
    [InlineData(ModelBug.Torn)]
    [InlineData(ModelBug.Lost)]
    [InlineData(ModelBug.StaleRead)]
    [InlineData(ModelBug.FailedWrites)]
    [InlineData(ModelBug.JudgedWhenProposed)]
    internal void Most_histories_of_a_model_with_a_bug_are_refused(ModelBug bug)
    {
        int refused = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            IReadOnlyList<TransactionOperation> history = GeneratedTransactions.Make(seed, Steps, bug);
            refused += TransactionChecker.Check(history, GeneratedTransactions.Keys) is null ? 0 : 1;
        }
        Assert.True(refused > Seeds / 2, $"{refused} of {Seeds}");
    }
}
