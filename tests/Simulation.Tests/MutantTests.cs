using RaftFast.Simulation.Mutants;

namespace RaftFast.Simulation.Tests;

public sealed class MutantTests
{
    [Fact]
    public void Every_mutant_has_its_place_in_the_sources()
    {
        foreach (Mutant mutant in MutantList.All)
        {
            string source = File.ReadAllText(Path.Combine(MutationGate.Root, "src", mutant.File));
            string? mutated = mutant.Apply(source);
            Assert.True(mutated is not null && mutated != source,
                $"{mutant.Name}: {mutant.File} has changed, so change the mutant in MutantList.cs too");
        }
    }

    [Fact]
    public void A_mutant_whose_text_is_not_exactly_once_in_the_file_is_out_of_date()
    {
        Mutant mutant = new("name", "a promise", "Project/File.cs", "one", "two");
        Assert.Equal("two.", mutant.Apply("one."));
        Assert.Null(mutant.Apply("another"));
        Assert.Null(mutant.Apply("one and one"));
    }
}
