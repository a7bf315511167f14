using RaftFast.Linearizability;

namespace RaftFast.Simulation.Clients;

/// <summary>What a client has read of each key, and the requests that it draws from this knowledge.</summary>
internal sealed class KnownKeys(Cluster cluster, SeededRandom random)
{
    /// <summary>Key of the counter that all clients increment. No other request writes this key.</summary>
    public const int Counter = SimulatedClient.KeysMax - 1;

    private readonly Known[] keys = new Known[SimulatedClient.KeysMax];

    /// <summary>Idempotency key of the last request that had one and succeeded; 0 if there is none.</summary>
    private int usedToken;

    /// <summary>
    /// True if outcomes are remembered longer than any history takes. If not, clients send no request twice.
    /// </summary>
    private bool OutcomesStay => cluster.Scenario.IdempotencyWindow >= 60_000;

    public bool MayRetry(in KeyRequest request) => request.Token != 0 && !request.ReusesToken && OutcomesStay;

    /// <summary>Notes that the key has this value, or does not exist if the tag is 0.</summary>
    public void Learn(int key, int value, long tag, int count) => keys[key] = new Known(true, value, tag, count);

    public void Forget(int key) => keys[key] = default;

    public void Used(int token) => usedToken = token;

    /// <summary>Draws a request with a condition, time to live, idempotency key, wait or staleness.</summary>
    public KeyRequest Draw(int key)
    {
        Known known = keys[key];
        KeyRequest read = new(KeyRequestKind.Get, key);
        switch (random.Next(12))
        {
            case 0:
                return Write(KeyRequestKind.Create, key);
            case 1 when known.Tag != 0:
                return Write(KeyRequestKind.Replace, key) with { Expected = known.Value, Tag = known.Tag };
            case 2 when known.Tag != 0:
                return Delete(key) with { Expected = known.Value, Tag = known.Tag };
            case 3:
                return Delete(key) with { Expected = RegisterValue.Any };
            case 4 or 5:
                return Write(KeyRequestKind.Put, key) with { TimeToLive = (int)random.Between(1, 3) };
            case 6 when usedToken != 0 && OutcomesStay && random.OneIn(4):
                return Write(KeyRequestKind.Put, key) with { Token = usedToken, ReusesToken = true };
            case 6:
                return Write(KeyRequestKind.Put, key) with { Token = cluster.NextValue() };
            case 7 when known.Tag != 0:
                return Wait(key) with { Expected = known.Value, Tag = known.Tag };
            case 7 or 8:
                return Wait(key);
            case 9:
                return new KeyRequest(KeyRequestKind.Stale, key) { StaleMax = int.MaxValue };
            case 10:
                return new KeyRequest(KeyRequestKind.Stale, key) { StaleMax = (int)random.Between(0, 2) };
            case 11:
                return Count();
            default:
                return read;
        }
    }

    private KeyRequest Write(KeyRequestKind kind, int key) => new(kind, key)
    {
        Value = cluster.NextValue(),
        TimeToLive = random.OneIn(3) ? (int)random.Between(1, 3) : 0,
        Token = NextToken(),
    };

    private KeyRequest Delete(int key) => new(KeyRequestKind.Delete, key) { Token = NextToken() };

    private KeyRequest Wait(int key) =>
        new(KeyRequestKind.Wait, key) { Wait = random.OneIn(3) ? 8 : (int)random.Between(1, 3) };

    private KeyRequest Count()
    {
        Known known = keys[Counter];
        if (!known.IsKnown)
            return new KeyRequest(KeyRequestKind.Get, Counter);
        return new KeyRequest(known.Tag == 0 ? KeyRequestKind.Create : KeyRequestKind.Replace, Counter)
        {
            Value = cluster.NextValue(),
            Expected = known.Value,
            Tag = known.Tag,
            Count = known.Count + 1,
            Token = NextToken(),
        };
    }

    private int NextToken() => random.OneIn(3) ? cluster.NextValue() : 0;

    private readonly record struct Known(bool IsKnown, int Value, long Tag, int Count);
}
