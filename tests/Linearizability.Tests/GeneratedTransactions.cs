namespace RaftFast.Linearizability.Tests;

/// <summary>
/// Clients of a simple model of the store, each with one operation at a time, in a random order of invocations, effects
/// and answers. Some outcomes stay unknown; such an operation may take effect later, or never.
/// </summary>
internal sealed class GeneratedTransactions
{
    public const int Keys = 3;

    private const int Clients = 4;

    private readonly Random random;
    private readonly ModelBug bug;
    private readonly TransactionHistory history = new();
    private readonly (long Tag, int Value)[] store = [.. Enumerable.Repeat((0L, RegisterValue.Absent), Keys)];
    private readonly List<Asked> abandoned = [];

    /// <summary>
    /// Last tag of each key that an answer has told; 0 if the key was absent, or before the first answer.
    /// </summary>
    private readonly long[] told = new long[Keys];
    private (long Tag, int Value)[] old;
    private long index;
    private int lastValue;

    private GeneratedTransactions(int seed, ModelBug bug)
    {
        random = new Random(seed);
        this.bug = bug;
        old = [.. store];
    }

    public static IReadOnlyList<TransactionOperation> Make(int seed, int steps, ModelBug bug = ModelBug.None)
    {
        GeneratedTransactions model = new(seed, bug);
        Asked?[] clients = new Asked?[Clients];
        for (int i = 0; i < steps; i++)
        {
            int client = model.random.Next(Clients);
            clients[client] = model.Step(client, clients[client]);
        }
        return model.history.Snapshot();
    }

    private Asked? Step(int client, Asked? asked)
    {
        if (abandoned.Count > 0 && random.Next(10) == 0)
        {
            Asked late = abandoned[random.Next(abandoned.Count)];
            abandoned.Remove(late);
            Take(late);
        }
        if (random.Next(20) == 0)
            old = [.. store];
        if (asked is null)
            return Invoke(client);
        if (!asked.IsTaken && asked.Get is null && random.Next(8) == 0)
        {
            abandoned.Add(asked);
            return null;
        }
        if (!asked.IsTaken)
        {
            Take(asked);
            return asked;
        }
        if (asked.Get is null && random.Next(8) == 0)
            return null;
        foreach (KeyState read in asked.Reads)
            told[read.Key] = read.Tag;
        if (asked.FailedAt >= 0)
            history.Mismatch(asked.Number, asked.Index, asked.FailedAt);
        else
            history.Succeed(asked.Number, asked.Index, [.. asked.Reads]);
        return null;
    }

    private Asked Invoke(int client)
    {
        if (random.Next(3) == 0)
        {
            int key = random.Next(Keys);
            return new Asked(history.Invoke(new TransactionOperation(client)), new(client)) { Get = key };
        }
        List<TransactionCondition> conditions = [];
        List<TransactionWrite> writes = [];
        List<int> reads = [];
        for (int key = 0; key < Keys; key++)
        {
            if (random.Next(3) == 0)
            {
                ConditionKind kind = (ConditionKind)random.Next(told[key] == 0 ? 2 : 3);
                conditions.Add(new(key, kind, kind == ConditionKind.HasTag ? told[key] : 0));
            }
            switch (random.Next(4))
            {
                case 0 or 1:
                    writes.Add(new(key, ++lastValue));
                    break;
                case 2:
                    writes.Add(new(key, RegisterValue.Absent));
                    break;
                default:
                    reads.Add(key);
                    break;
            }
        }
        TransactionOperation operation = new(client) { Conditions = conditions, Writes = writes };
        Asked asked = new(history.Invoke(operation), operation) { Gets = reads };
        if (bug == ModelBug.JudgedWhenProposed)
            asked.FailedAt = Judge(operation);
        return asked;
    }

    private void Take(Asked asked)
    {
        asked.IsTaken = true;
        if (asked.Get is { } key)
        {
            (long tag, int value) = bug == ModelBug.StaleRead && random.Next(4) == 0 ? old[key] : store[key];
            asked.Reads.Add(new KeyState(key, tag, value));
            return;
        }
        asked.Index = index += random.Next(1, 3);
        if (bug != ModelBug.JudgedWhenProposed)
            asked.FailedAt = Judge(asked.Operation);
        bool isLost = bug == ModelBug.Lost && random.Next(10) == 0;
        int count = asked.FailedAt < 0 ? asked.Operation.Writes.Count : bug == ModelBug.FailedWrites ? 1 : 0;
        if (bug == ModelBug.Torn && random.Next(10) == 0)
            count = Math.Min(count, 1);
        for (int i = 0; i < Math.Min(count, asked.Operation.Writes.Count) && !isLost; i++)
        {
            TransactionWrite write = asked.Operation.Writes[i];
            store[write.Key] = write.Value == RegisterValue.Absent ? (0, write.Value) : (index, write.Value);
        }
        foreach (int read in asked.FailedAt < 0 ? asked.Gets : [])
            asked.Reads.Add(new KeyState(read, store[read].Tag, store[read].Value));
    }

    private int Judge(TransactionOperation operation)
    {
        for (int i = 0; i < operation.Conditions.Count; i++)
        {
            TransactionCondition condition = operation.Conditions[i];
            long tag = store[condition.Key].Tag;
            bool holds = condition.Kind switch
            {
                ConditionKind.Exists => tag != 0,
                ConditionKind.Absent => tag == 0,
                _ => tag == condition.Tag,
            };
            if (!holds)
                return i;
        }
        return -1;
    }

    private sealed record Asked(int Number, TransactionOperation Operation)
    {
        public int? Get { get; init; }

        public List<int> Gets { get; init; } = [];

        public List<KeyState> Reads { get; } = [];

        public bool IsTaken { get; set; }

        public long Index { get; set; }

        public int FailedAt { get; set; } = -1;
    }
}

internal enum ModelBug
{
    None,
    Torn,
    Lost,
    StaleRead,
    FailedWrites,
    JudgedWhenProposed,
}
