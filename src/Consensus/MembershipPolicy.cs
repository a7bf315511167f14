using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>What a request to change the members comes to: the configuration to propose, or why not.</summary>
public static class MembershipPolicy
{
    /// <param name="current">In effect and committed.</param>
    /// <param name="next">The same members again where the request is fulfilled already: committing that proves it.</param>
    public static ChangeRefusal Plan(ClusterConfiguration current, MembershipChange change, out ClusterConfiguration next)
    {
        next = current;
        if (current.IsJoint)
            return ChangeRefusal.ChangeUnderWay;
        return change.Kind == MembershipChangeKind.Add ? PlanAdd(ref next, change) : PlanRemove(ref next, change.Id);
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
        // A learner first: a server without the log would only hold commitment up (thesis §4.2.1).
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

    private static ChangeRefusal Propose(ref ClusterConfiguration next, MemberEdit change)
    {
        ClusterConfiguration? changed = ConfigurationEditor.Simple(next, [change], out MemberEditError error);
        next = changed ?? next;
        return error switch
        {
            MemberEditError.None => ChangeRefusal.None,
            MemberEditError.RemovesAllVoters => ChangeRefusal.LastVoter,
            _ => ChangeRefusal.TooManyMembers,
        };
    }
}
