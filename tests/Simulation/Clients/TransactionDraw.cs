using RaftFast.Linearizability;

namespace RaftFast.Simulation.Clients;

/// <summary>
/// State of each key as far as a client knows it, and the transactions that the client draws from this knowledge.
/// </summary>
internal sealed class TransactionDraw(Cluster cluster, SeededRandom random)
{
    /// <summary>States as answers have told them; null if unknown.</summary>
    private readonly KeyState?[] known = new KeyState?[TransactionKeys.Count];

    public KeyState? this[int key] => known[key];

    public void Learn(in KeyState state) => known[state.Key] = state;

    public void Forget(int key) => known[key] = null;

    public TransactionPlan Draw()
    {
        TransactionPlan plan = new();
        if (random.OneIn(6))
            plan.Prefix = random.Next(TransactionKeys.Prefixes);
        for (int key = 0; key < TransactionKeys.Count; key++)
        {
            if (random.OneIn(4))
                plan.Conditions.Add(Condition(key));
            if (TransactionKeys.PrefixOf(key) != plan.Prefix && random.OneIn(2))
                AddOperation(plan, key);
        }
        if (plan is { Writes.Count: 0, Gets.Count: 0, Prefix: null })
            plan.Gets.Add(random.Next(TransactionKeys.Count));
        plan.TimeToLive = random.OneIn(5) ? (int)random.Between(1, 3) : 0;
        // A deletion with an unknown outcome may explain every later absence, and so hides bugs. If the deletion needs
        // a tag, the next write of that key ends this. Other deletions get an idempotency key: a retry tells their
        // outcome.
        bool deletes = plan.Prefix is not null || plan.Writes.Exists(write => write.Value == RegisterValue.Absent);
        bool needsTag = plan.Conditions.Exists(condition => condition.Kind == ConditionKind.HasTag);
        if ((deletes && !needsTag) || random.OneIn(3))
            plan.Token = cluster.NextValue();
        return plan;
    }

    private TransactionCondition Condition(int key)
    {
        bool mayExist = known[key] is not { Tag: 0 };
        if (random.OneIn(10))
            mayExist = !mayExist;
        if (!mayExist)
            return new TransactionCondition(key, ConditionKind.Absent);
        return known[key] is { Tag: > 0 } state && !random.OneIn(3)
            ? new TransactionCondition(key, ConditionKind.HasTag, state.Tag)
            : new TransactionCondition(key, ConditionKind.Exists);
    }

    private void AddOperation(TransactionPlan plan, int key)
    {
        switch (random.Next(6))
        {
            case 0 or 1 or 2:
                plan.Writes.Add(new TransactionWrite(key, cluster.NextValue()));
                break;
            case 3:
                plan.Writes.Add(new TransactionWrite(key, RegisterValue.Absent));
                break;
            default:
                plan.Gets.Add(key);
                break;
        }
    }
}
