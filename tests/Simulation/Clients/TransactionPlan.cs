using RaftFast.Http;
using RaftFast.Linearizability;
using RaftFast.Protocol;

namespace RaftFast.Simulation.Clients;

/// <summary>A transaction, with everything that is needed to send it again and to judge its answer.</summary>
internal sealed record TransactionPlan
{
    public List<TransactionCondition> Conditions { get; } = [];

    public List<TransactionWrite> Writes { get; } = [];

    /// <summary>Keys that are read.</summary>
    public List<int> Gets { get; } = [];

    /// <summary>Prefix whose keys are deleted, or null.</summary>
    public int? Prefix { get; set; }

    /// <summary>Seconds that the written values live; 0 for ever.</summary>
    public int TimeToLive { get; set; }

    /// <summary>Idempotency key; 0 without one.</summary>
    public int Token { get; set; }

    public TransactionOperation ToOperation(int client)
    {
        List<TransactionWrite> writes = [.. Writes];
        for (int key = 0; key < TransactionKeys.Count; key++)
        {
            if (TransactionKeys.PrefixOf(key) == Prefix)
                writes.Add(new TransactionWrite(key, RegisterValue.Absent));
        }
        return new TransactionOperation(client) { Conditions = Conditions, Writes = writes };
    }

    /// <param name="number">Random number by which the server knows the attempt's entry.</param>
    /// <param name="answer">Receives what the server answers beside the status.</param>
    public ClientRequest ToRequest(IRequestOwner owner, ulong number, out TransactionAnswer answer)
    {
        byte[] payload = new byte[4096];
        byte[] token = Token == 0 ? [] : BitConverter.GetBytes(Token);
        int operations = Writes.Count + Gets.Count + (Prefix is null ? 0 : 1);
        int length = TransactionCommand.WriteHead(payload, Conditions.Count, operations, token, number);
        foreach (TransactionCondition condition in Conditions)
            Add(payload, ref length, KindOf(condition.Kind), condition.Key, argument: condition.Tag);
        foreach (TransactionWrite write in Writes)
        {
            if (write.Value == RegisterValue.Absent)
                Add(payload, ref length, TransactionPartKind.Delete, write.Key);
            else
            {
                byte[] value = TransactionKeys.BytesOfValue(write.Value);
                Add(payload, ref length, TransactionPartKind.Put, write.Key, value, TimeToLive * 1000L);
            }
        }
        if (Prefix is { } prefix)
        {
            length += TransactionPart.Write(
                payload.AsSpan(length), TransactionPartKind.DeletePrefix, TransactionKeys.BytesOfPrefix(prefix));
        }
        foreach (int key in Gets)
            Add(payload, ref length, TransactionPartKind.Get, key);
        if (Token != 0)
            TransactionCommand.SetFingerprint(payload.AsSpan(0, length));
        answer = new TransactionAnswer(Gets.Count > 0 ? number : null);
        ClientRequest request = new(owner);
        request.BeginTransaction(payload.AsSpan(0, length), answer, hasToken: Token != 0);
        return request;
    }

    private static TransactionPartKind KindOf(ConditionKind kind) => kind switch
    {
        ConditionKind.Exists => TransactionPartKind.Exists,
        ConditionKind.Absent => TransactionPartKind.Absent,
        _ => TransactionPartKind.HasTag,
    };

    private static void Add(
        byte[] payload, ref int length, TransactionPartKind kind, int key, ReadOnlySpan<byte> value = default,
        long argument = 0)
    {
        length += TransactionPart.Write(
            payload.AsSpan(length), kind, TransactionKeys.BytesOf(key), value, argument);
    }
}
