using System.Buffers.Binary;

namespace RaftFast.Protocol.Tests;

public sealed class ConditionsTests // RFC 9110 §13.2.2
{
    private const ConditionKinds Match = ConditionKinds.Match;
    private const ConditionKinds MatchAny = ConditionKinds.Match | ConditionKinds.MatchAny;
    private const ConditionKinds NoneMatch = ConditionKinds.NoneMatch;
    private const ConditionKinds NoneMatchAny = ConditionKinds.NoneMatch | ConditionKinds.NoneMatchAny;

    /// <param name="tag">Present tag; 0 if the key is absent.</param>
    [Theory]
    [InlineData(ConditionKinds.None, 0, 0, 0, ConditionResult.Hold)]
    [InlineData(Match, 5, 0, 5, ConditionResult.Hold)]
    [InlineData(Match, 5, 0, 6, ConditionResult.MatchFailed)]
    [InlineData(Match, 5, 0, 0, ConditionResult.MatchFailed)]
    [InlineData(Match, 0, 0, 5, ConditionResult.MatchFailed)] // its tags are no numbers
    [InlineData(MatchAny, 0, 0, 5, ConditionResult.Hold)]
    [InlineData(MatchAny, 0, 0, 0, ConditionResult.MatchFailed)]
    [InlineData(NoneMatch, 0, 5, 5, ConditionResult.NoneMatchFailed)]
    [InlineData(NoneMatch, 0, 5, 6, ConditionResult.Hold)]
    [InlineData(NoneMatch, 0, 5, 0, ConditionResult.Hold)]
    [InlineData(NoneMatch, 0, 0, 5, ConditionResult.Hold)]
    [InlineData(NoneMatchAny, 0, 0, 5, ConditionResult.NoneMatchFailed)]
    [InlineData(NoneMatchAny, 0, 0, 0, ConditionResult.Hold)]
    [InlineData(Match | NoneMatch, 5, 5, 5, ConditionResult.NoneMatchFailed)]
    [InlineData(Match | NoneMatch, 5, 6, 6, ConditionResult.MatchFailed)]
    [InlineData(Match | NoneMatch, 5, 6, 5, ConditionResult.Hold)]
    public void Conditions_are_evaluated_in_order(
        ConditionKinds kinds, long match, long noneMatch, long tag, ConditionResult expected) =>
        Assert.Equal(expected, new Conditions(kinds, Bytes(match), Bytes(noneMatch)).Evaluate(tag));

    [Theory]
    [InlineData(ConditionKinds.None, 0, 0, true)]
    [InlineData(ConditionKinds.None, 1, 0, false)]
    [InlineData(ConditionKinds.MatchAny, 0, 0, false)]
    [InlineData(MatchAny, 1, 0, false)]
    [InlineData(Match, 16, 0, true)]
    [InlineData(Match, 17, 0, false)]
    [InlineData(NoneMatch, 0, 16, true)]
    [InlineData(NoneMatch, 1, 0, false)]
    [InlineData(NoneMatchAny, 0, 1, false)]
    [InlineData((ConditionKinds)16, 0, 0, false)]
    public void Kinds_and_tags_belong_together(ConditionKinds kinds, int match, int noneMatch, bool areValid) =>
        Assert.Equal(areValid, Conditions.AreValid(kinds, match, noneMatch));

    private static byte[] Bytes(long tag)
    {
        byte[] bytes = new byte[tag == 0 ? 0 : Conditions.TagBytes];
        if (tag != 0)
            BinaryPrimitives.WriteInt64LittleEndian(bytes, tag);
        return bytes;
    }
}
