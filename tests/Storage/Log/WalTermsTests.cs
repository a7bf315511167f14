using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalTermsTests
{
    [Fact]
    public void Forgetting_up_to_any_entry_leaves_the_terms_of_the_others()
    {
        long[] termOf = [0, 1, 1, 2, 2, 2, 5, 7, 7];
        for (int forgotten = 0; forgotten < termOf.Length; forgotten++)
        {
            WalTerms terms = Terms(termOf);
            terms.Forget(new LogPosition(termOf[forgotten], forgotten));
            Assert.Equal(new LogPosition(termOf[forgotten], forgotten), terms.Base);
            Assert.Equal(new LogPosition(7, 8), terms.Last);
            for (int index = 0; index < termOf.Length; index++)
            {
                for (long term = 0; term <= 8; term++)
                    Assert.Equal(
                        index >= forgotten && term == termOf[index], terms.Matches(new LogPosition(term, index)));
            }
            Assert.True(terms.TryAppend(new LogPosition(7, 9)));
            List<LogPosition> runs = [];
            for (int index = forgotten + 1; index < termOf.Length; index++)
            {
                if (runs.Count == 0 || runs[^1].Term != termOf[index])
                    runs.Add(new LogPosition(termOf[index], index));
            }
            if (runs.Count == 0)
                runs.Add(new LogPosition(7, 9));
            Assert.Equal(runs, terms.ToArray());
        }
    }

    [Fact] // §5.3
    public void Entry_after_the_base_has_no_earlier_term()
    {
        WalTerms terms = Terms([0, 3, 4]);
        terms.Forget(new LogPosition(4, 2));
        Assert.False(terms.TryAppend(new LogPosition(3, 3)));
        Assert.True(terms.TryAppend(new LogPosition(4, 3)));
    }

    [Fact]
    public void Forgetting_an_entry_that_is_not_there_is_a_bug()
    {
        Assert.Throws<InvariantException>(() => Terms([0, 3, 4]).Forget(new LogPosition(3, 2)));
        Assert.Throws<InvariantException>(() => Terms([0, 3, 4]).Forget(new LogPosition(4, 3)));
    }

    private static WalTerms Terms(long[] termOf)
    {
        WalTerms terms = new();
        for (int index = 1; index < termOf.Length; index++)
            Assert.True(terms.TryAppend(new LogPosition(termOf[index], index)));
        return terms;
    }
}
