namespace RaftFast.Linearizability;

/// <summary>States that a key may have at one place in the log, after all that answers tell.</summary>
/// <param name="Tag">Tag of the last write whose place is known, if the key may still have its value; else 0.</param>
/// <param name="MayBeAbsent">True if the key may not exist.</param>
/// <param name="MayBeUnseen">True if the key may have a value of a write with an unknown place.</param>
internal readonly record struct PossibleStates(long Tag, bool MayBeAbsent, bool MayBeUnseen = false)
{
    /// <summary>Tag, in a condition, of a value whose place is unknown.</summary>
    public const long UnseenTag = -1;

    public bool AreNone => this == default;

    /// <param name="tag">Tag of the key; 0 if the key does not exist.</param>
    public static PossibleStates Only(long tag) => new(tag, MayBeAbsent: tag == 0);

    public bool Include(long tag) => tag == 0 ? MayBeAbsent : Tag == tag;

    /// <summary>These states, and those after a write that may have happened.</summary>
    public PossibleStates OrAfter(in TransactionWrite write) => write.Value == RegisterValue.Absent
        ? this with { MayBeAbsent = true }
        : this with { MayBeUnseen = true };

    /// <summary>The part of these states in which the condition holds.</summary>
    public PossibleStates With(in TransactionCondition condition) => condition.Kind switch
    {
        ConditionKind.Exists => this with { MayBeAbsent = false },
        ConditionKind.Absent => new(0, MayBeAbsent),
        _ when condition.Tag == UnseenTag => new(0, false, MayBeUnseen),
        _ => new(Tag == condition.Tag ? Tag : 0, false),
    };

    /// <summary>The part of these states in which the condition does not hold.</summary>
    public PossibleStates Without(in TransactionCondition condition) => condition.Kind switch
    {
        ConditionKind.Exists => new(0, MayBeAbsent),
        ConditionKind.Absent => this with { MayBeAbsent = false },
        _ => this with { Tag = Tag == condition.Tag ? 0 : Tag },
    };

    public override string ToString()
    {
        List<string> states = [];
        if (Tag != 0)
            states.Add($"tag {Tag}");
        if (MayBeAbsent)
            states.Add("absent");
        if (MayBeUnseen)
            states.Add("a value that no answer tells");
        return string.Join(" or ", states);
    }
}
