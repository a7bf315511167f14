using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Makes the configuration that may follow another one. A simple change differs in at most one voter, so that any two
/// majorities overlap (thesis §4.1). A greater change needs a joint configuration, in which the old and the new voters
/// decide together (§6). A voter that becomes a learner stays an outgoing voter until the joint configuration ends.
/// </summary>
public static class ConfigurationEditor
{
    /// <returns>Null, with the reason in <paramref name="error"/>, if the change is not allowed.</returns>
    public static ClusterConfiguration? Simple(
        ClusterConfiguration current, ReadOnlySpan<MemberEdit> edits, out MemberEditError error)
    {
        if (current.IsJoint)
            return Refuse(MemberEditError.IsJoint, out error);
        SortedList<ulong, Member> members = Copy(current);
        error = Apply(members, edits);
        if (error == MemberEditError.None && VotersThatDiffer(current, members) > 1)
            error = MemberEditError.ChangesSeveralVoters;
        return error == MemberEditError.None ? Build(current, members, leavesJointItself: false) : null;
    }

    /// <inheritdoc cref="Simple"/>
    public static ClusterConfiguration? EnterJoint(
        ClusterConfiguration current, bool leavesJointItself, ReadOnlySpan<MemberEdit> edits, out MemberEditError error)
    {
        if (current.IsJoint)
            return Refuse(MemberEditError.IsJoint, out error);
        SortedList<ulong, Member> members = Copy(current);
        bool hasVoters = false;
        foreach (Member member in current.Members)
        {
            members[member.Id] = member with { IsOutgoingVoter = member.Role == MemberRole.Voter };
            hasVoters |= member.Role == MemberRole.Voter;
        }
        if (!hasVoters)
            return Refuse(MemberEditError.HasNoVoters, out error);
        error = Apply(members, edits);
        return error == MemberEditError.None ? Build(current, members, leavesJointItself) : null;
    }

    /// <inheritdoc cref="Simple"/>
    public static ClusterConfiguration? LeaveJoint(ClusterConfiguration current, out MemberEditError error)
    {
        if (!current.IsJoint)
            return Refuse(MemberEditError.IsNotJoint, out error);
        SortedList<ulong, Member> members = [];
        foreach (Member member in current.Members)
        {
            if (member.Role != MemberRole.Leaving)
                members.Add(member.Id, member with { IsOutgoingVoter = false });
        }
        error = MemberEditError.None;
        return Build(current, members, leavesJointItself: false);
    }

    private static ClusterConfiguration? Refuse(MemberEditError reason, out MemberEditError error)
    {
        error = reason;
        return null;
    }

    private static SortedList<ulong, Member> Copy(ClusterConfiguration current)
    {
        SortedList<ulong, Member> members = [];
        foreach (Member member in current.Members)
            members.Add(member.Id, member);
        return members;
    }

    private static MemberEditError Apply(SortedList<ulong, Member> members, ReadOnlySpan<MemberEdit> edits)
    {
        foreach (MemberEdit edit in edits)
        {
            if (edit.Id != 0)
                Apply(members, edit);
        }
        if (members.Count > ClusterConfiguration.MembersMax)
            return MemberEditError.TooManyMembers;
        foreach (Member member in members.Values)
        {
            if (member.Role == MemberRole.Voter)
                return MemberEditError.None;
        }
        return MemberEditError.RemovesAllVoters;
    }

    private static void Apply(SortedList<ulong, Member> members, in MemberEdit edit)
    {
        members.TryGetValue(edit.Id, out Member? member);
        switch (edit.Kind)
        {
            case MemberEditKind.AddVoter or MemberEditKind.AddLearner:
                MemberRole role = edit.Kind == MemberEditKind.AddVoter ? MemberRole.Voter : MemberRole.Learner;
                Invariant.Hold(member is not null || edit.Address is not null);
                members[edit.Id] = member is null
                    ? new Member(edit.Id, edit.Address!, role)
                    : member with { Role = role };
                break;
            case MemberEditKind.Remove when member is { IsOutgoingVoter: true }:
                members[edit.Id] = member with { Role = MemberRole.Leaving };
                break;
            case MemberEditKind.Remove:
                members.Remove(edit.Id);
                break;
            case MemberEditKind.Move when member is not null:
                Invariant.Hold(edit.Address is not null);
                members[edit.Id] = member with { Address = edit.Address };
                break;
        }
    }

    private static int VotersThatDiffer(ClusterConfiguration current, SortedList<ulong, Member> members)
    {
        int differing = 0;
        foreach (Member member in current.Members)
        {
            bool stays = members.TryGetValue(member.Id, out Member? after) && after.Role == MemberRole.Voter;
            differing += member.Role == MemberRole.Voter && !stays ? 1 : 0;
        }
        foreach (Member member in members.Values)
        {
            bool wasVoter = current.Find(member.Id) is { Role: MemberRole.Voter };
            differing += member.Role == MemberRole.Voter && !wasVoter ? 1 : 0;
        }
        return differing;
    }

    /// <summary>Records the id of each removed member. A removed id is never used again.</summary>
    private static ClusterConfiguration Build(
        ClusterConfiguration current, SortedList<ulong, Member> members, bool leavesJointItself)
    {
        SortedSet<ulong> removed = [.. current.RemovedIds];
        foreach (Member member in current.Members)
        {
            if (!members.ContainsKey(member.Id))
                removed.Add(member.Id);
        }
        return new ClusterConfiguration(current.ClusterId, [.. members.Values], [.. removed], leavesJointItself);
    }
}

/// <summary>One step between two configurations.</summary>
/// <param name="Address">Address of a new server (AddVoter, AddLearner), or the new address (Move).</param>
public readonly record struct MemberEdit(MemberEditKind Kind, ulong Id, PeerAddress? Address = null);

public enum MemberEditKind
{
    AddVoter,
    AddLearner,
    Remove,

    /// <summary>Changes the address of a member, and no role.</summary>
    Move,
}

public enum MemberEditError
{
    None,
    RemovesAllVoters,

    /// <summary>
    /// A change of more than one voter needs a joint configuration: two majorities might have no server in common (§6).
    /// </summary>
    ChangesSeveralVoters,
    IsJoint,
    IsNotJoint,
    HasNoVoters,
    TooManyMembers,
}
