using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>Turns a request to change the members into the configuration to propose, or into a refusal.</summary>
public static class MembershipPolicy
{
    /// <param name="current">The configuration that is in effect and committed.</param>
    /// <param name="next">
    /// The configuration to propose. For a request that is already fulfilled, this is the current configuration:
    /// committing that configuration once more proves that the request is still fulfilled.
    /// </param>
    public static ChangeRefusal Plan(
        ClusterConfiguration current, MembershipChange change, out ClusterConfiguration next)
    {
        next = current;
        if (current.IsJoint)
            return ChangeRefusal.ChangeUnderWay;
        return change.Kind == MembershipChangeKind.Add ? PlanAdd(ref next, change) : PlanRemove(ref next, change.Id);
    }

    /// <summary>
    /// Refuses a removal after which no majority of the voters would write. Example: of voters 1, 2 and 3, voter 3 is
    /// dead. The removal of voter 2 is refused, because voter 1 is no majority of voters 1 and 3. The removal of voter
    /// 3 is allowed.
    /// </summary>
    /// <param name="leader">The leader, which may change the configuration.</param>
    /// <param name="next">The configuration that <see cref="Plan"/> gave.</param>
    /// <param name="missing">The voters that don't write, if the refusal is VotersMissing.</param>
    public static ChangeRefusal Admit(RaftCore leader, ClusterConfiguration next, out MissingVoters missing)
    {
        missing = default;
        if (!RemovesVoter(leader.Configuration.Cluster, next))
            return ChangeRefusal.None;
        return leader.MajorityWrites(next, out missing) switch
        {
            QuorumResult.Won => ChangeRefusal.None,
            QuorumResult.Pending => ChangeRefusal.NotNow,
            _ => ChangeRefusal.VotersMissing,
        };
    }

    private static bool RemovesVoter(ClusterConfiguration current, ClusterConfiguration next)
    {
        foreach (Member member in current.Members)
        {
            if (member.IsVoter && next.Find(member.Id) is null)
                return true;
        }
        return false;
    }

    private static ChangeRefusal PlanAdd(ref ClusterConfiguration next, MembershipChange change)
    {
        if (next.WasRemoved(change.Id))
            return ChangeRefusal.IdWasRemoved;
        foreach (Member member in next.Members)
        {
            if (member.Id == change.Id)
                return member.Address == change.Address ? ChangeRefusal.None : ChangeRefusal.IdInUse;
            if (member.Address == change.Address)
                return ChangeRefusal.AddressInUse;
        }
        // New members begin as learners: a voter without the log would only delay commitment (thesis §4.2.1).
        MemberEdit add = new(MemberEditKind.AddLearner, change.Id, change.Address);
        return Propose(ref next, add);
    }

    private static ChangeRefusal PlanRemove(ref ClusterConfiguration next, ulong id)
    {
        if (next.Find(id) is null)
            return ChangeRefusal.None;
        if (next.RemovedIds.Count == ClusterConfiguration.RemovedMax)
            return ChangeRefusal.TooManyMembers;
        return Propose(ref next, new MemberEdit(MemberEditKind.Remove, id));
    }

    private static ChangeRefusal Propose(ref ClusterConfiguration next, MemberEdit edit)
    {
        ClusterConfiguration? changed = ConfigurationEditor.Simple(next, [edit], out MemberEditError error);
        next = changed ?? next;
        return error switch
        {
            MemberEditError.None => ChangeRefusal.None,
            MemberEditError.RemovesAllVoters => ChangeRefusal.LastVoter,
            _ => ChangeRefusal.TooManyMembers,
        };
    }
}
