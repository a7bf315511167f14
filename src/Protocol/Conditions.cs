using System.Buffers.Binary;

namespace RaftFast.Protocol;

/// <summary>
/// Preconditions of a request (RFC 9110 §13.1), reduced to what can match: tags that are log indices. A tag that is no
/// number matches nothing, and is not here.
/// </summary>
/// <param name="matchTags">Tags of If-Match: little-endian i64 each.</param>
/// <param name="noneMatchTags">Tags of If-None-Match: little-endian i64 each.</param>
public readonly ref struct Conditions(
    ConditionKinds kinds, ReadOnlySpan<byte> matchTags, ReadOnlySpan<byte> noneMatchTags)
{
    /// <summary>Maximum tags of one condition: a client knows few states of a key.</summary>
    public const int TagsMax = 16;

    public const int TagBytes = sizeof(long);

    private readonly ReadOnlySpan<byte> matchTags = matchTags;
    private readonly ReadOnlySpan<byte> noneMatchTags = noneMatchTags;

    public ConditionKinds Kinds { get; } = kinds;

    public bool IsEmpty => Kinds == ConditionKinds.None;

    public ReadOnlySpan<byte> MatchTags => matchTags;

    public ReadOnlySpan<byte> NoneMatchTags => noneMatchTags;

    /// <summary>Evaluates the conditions in the order of RFC 9110 §13.2.2.</summary>
    /// <param name="tag">Index of the key's last write; 0 if the key does not exist.</param>
    public ConditionResult Evaluate(long tag)
    {
        if ((Kinds & ConditionKinds.Match) != 0)
        {
            bool matches = tag != 0 && ((Kinds & ConditionKinds.MatchAny) != 0 || Contains(matchTags, tag));
            if (!matches)
                return ConditionResult.MatchFailed;
        }
        if ((Kinds & ConditionKinds.NoneMatch) != 0)
        {
            bool matches = tag != 0 && ((Kinds & ConditionKinds.NoneMatchAny) != 0 || Contains(noneMatchTags, tag));
            if (matches)
                return ConditionResult.NoneMatchFailed;
        }
        return ConditionResult.Hold;
    }

    /// <summary>True if kinds and numbers of tags belong together.</summary>
    public static bool AreValid(ConditionKinds kinds, int matchTags, int noneMatchTags)
    {
        const ConditionKinds All = ConditionKinds.Match | ConditionKinds.MatchAny | ConditionKinds.NoneMatch
            | ConditionKinds.NoneMatchAny;
        return (kinds & ~All) == 0
            && AreValid((kinds & ConditionKinds.Match) != 0, (kinds & ConditionKinds.MatchAny) != 0, matchTags)
            && AreValid(
                (kinds & ConditionKinds.NoneMatch) != 0, (kinds & ConditionKinds.NoneMatchAny) != 0, noneMatchTags);
    }

    private static bool AreValid(bool isPresent, bool isAny, int tags) =>
        tags <= TagsMax && (tags == 0 || (isPresent && !isAny)) && (isPresent || !isAny);

    private static bool Contains(ReadOnlySpan<byte> tags, long tag)
    {
        for (; !tags.IsEmpty; tags = tags[TagBytes..])
        {
            if (BinaryPrimitives.ReadInt64LittleEndian(tags) == tag)
                return true;
        }
        return false;
    }
}

/// <summary>Conditions that a request has. The values are on disk and on the wire.</summary>
[Flags]
public enum ConditionKinds : byte
{
    None = 0,

    /// <summary>If-Match is present.</summary>
    Match = 1,

    /// <summary>If-Match is <c>*</c>: the key must exist.</summary>
    MatchAny = 2,

    /// <summary>If-None-Match is present.</summary>
    NoneMatch = 4,

    /// <summary>If-None-Match is <c>*</c>: the key must not exist.</summary>
    NoneMatchAny = 8,
}

public enum ConditionResult
{
    Hold,

    /// <summary>If-Match is false: 412.</summary>
    MatchFailed,

    /// <summary>If-None-Match is false: 304 to GET and HEAD, else 412.</summary>
    NoneMatchFailed,
}
