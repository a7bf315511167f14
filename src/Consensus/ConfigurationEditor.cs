using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Which configuration may follow which: a simple change of at most one voter (thesis §4.1: any two majorities overlap), or
/// by way of a joint configuration, in which the old voters and the new decide together (§6). A voter that becomes a learner
/// stays an outgoing voter until the joint configuration is left.
/// </summary>
public static class ConfigurationEditor
{
    /// <returns>Null with the reason in <paramref name="error"/>.</returns>
    public static ClusterConfiguration? Simple(
        ClusterConfiguration current, ReadOnlySpan<MemberEdit> changes, out MemberEditError error)
    {
        if (current.IsJoint)
            return Refuse(MemberEditError.IsJoint, out error);
        SortedList<ulong, Member> members = Copy(current);
        error = Apply(members, changes);
        if (error == MemberEditError.None && VotersThatDiffer(current, members) > 1)
            error = MemberEditError.ChangesSeveralVoters;
        return error == MemberEditError.None ? Build(current, members, leavesJointItself: false) : null;
    }

    /// <inheritdoc cref="Simple"/>
    public static ClusterConfiguration? EnterJoint(
        ClusterConfiguration current, bool leavesJointItself, ReadOnlySpan<MemberEdit> changes, out MemberEditError error)
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
        error = Apply(members, changes);
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

    private static MemberEditError Apply(SortedList<ulong, Member> members, ReadOnlySpan<MemberEdit> changes)
    {
        foreach (MemberEdit change in changes)
        {
            if (change.Id != 0)
                Apply(members, change);
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

    private static void Apply(SortedList<ulong, Member> members, in MemberEdit change)
    {
        members.TryGetValue(change.Id, out Member? member);
        switch (change.Kind)
        {
            case MemberEditKind.AddVoter or MemberEditKind.AddLearner:
                MemberRole role = change.Kind == MemberEditKind.AddVoter ? MemberRole.Voter : MemberRole.Learner;
                Invariant.Hold(member is not null || change.Address is not null);
                members[change.Id] = member is null ? new Member(change.Id, change.Address!, role) : member with { Role = role };
                break;
            case MemberEditKind.Remove when member is { IsOutgoingVoter: true }:
                members[change.Id] = member with { Role = MemberRole.Leaving };
                break;
            case MemberEditKind.Remove:
                members.Remove(change.Id);
                break;
            case MemberEditKind.Move when member is not null:
                Invariant.Hold(change.Address is not null);
                members[change.Id] = member with { Address = change.Address };
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
            differing += member.Role == MemberRole.Voter && current.Find(member.Id) is not { Role: MemberRole.Voter } ? 1 : 0;
        return differing;
    }

    /// <summary>Who was a member and is none any more is never one again.</summary>
    private static ClusterConfiguration Build(ClusterConfiguration current, SortedList<ulong, Member> members, bool leavesJointItself)
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
