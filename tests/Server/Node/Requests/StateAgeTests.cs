using RaftFast.Server.Node.Requests;

namespace RaftFast.Server.Tests.Node.Requests;

public sealed class StateAgeTests
{
    private readonly StateAge age = new();

    [Fact]
    public void Age_counts_from_the_question_and_not_from_its_answer()
    {
        age.Asked(context: 1, now: 1000);
        age.Confirmed(context: 1, index: 5);
        age.Applied(5);
        Assert.Equal(59_001, age.At(60_000));
    }

    [Fact]
    public void State_has_no_age_before_the_confirmed_index_is_applied()
    {
        age.Asked(1, 1000);
        age.Confirmed(1, 5);
        age.Applied(4);
        Assert.False(age.IsKnown);
        age.Applied(6);
        Assert.True(age.IsKnown);
    }

    [Fact]
    public void Answer_to_a_question_that_was_not_asked_makes_nothing_fresh()
    {
        age.Asked(1, 1000);
        age.Confirmed(context: 65, index: 5);
        age.Applied(9);
        Assert.False(age.IsKnown);
    }

    [Fact]
    public void Late_answer_to_an_earlier_question_makes_the_state_no_older()
    {
        age.Asked(1, 1000);
        age.Asked(2, 3000);
        age.Confirmed(2, 5);
        age.Applied(5);
        age.Confirmed(1, 5);
        age.Applied(5);
        Assert.Equal(1001, age.At(4000));
    }
}
