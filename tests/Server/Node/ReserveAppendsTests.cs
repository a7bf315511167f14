using RaftFast.Protocol;
using RaftFast.Server.Node;

namespace RaftFast.Server.Tests.Node;

/// <summary>The entries that a follower takes although its log has no room.</summary>
public sealed class ReserveAppendsTests
{
    private const long Term = 3;

    [Theory]
    [InlineData("", 0)]
    [InlineData("no-op", 1)]
    [InlineData("old", 1)] // the no-op of this term follows in a later append
    [InlineData("old old no-op", 3)]
    [InlineData("old no-op command command", 2)]
    [InlineData("command", 0)]
    [InlineData("command configuration command", 2)]
    [InlineData("old-no-op command", 1)]
    public void Entries_up_to_the_last_needed_one_are_taken(string entries, int count)
    {
        RecordHeader[] headers = [.. entries.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Entry)];
        Assert.Equal(count, ReserveAppends.Count(headers, Term, out int bytes));
        Assert.Equal(headers.Take(count).Sum(header => header.RecordLength), bytes);
    }

    private static RecordHeader Entry(string kind, int place) => kind switch
    {
        "no-op" => new(RecordType.NoOp, new(Term, place + 1), 0, 0),
        "old-no-op" => new(RecordType.NoOp, new(Term - 1, place + 1), 0, 0),
        "old" => new(RecordType.Command, new(Term - 1, place + 1), 500, 0),
        "configuration" => new(RecordType.Configuration, new(Term, place + 1), 100, 0),
        _ => new(RecordType.Command, new(Term, place + 1), 500, 0),
    };
}
