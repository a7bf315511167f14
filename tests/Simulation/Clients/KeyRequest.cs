using System.Globalization;
using System.Text;
using RaftFast.Http;
using RaftFast.Linearizability;
using RaftFast.Protocol;

namespace RaftFast.Simulation.Clients;

/// <summary>A request about a key, with everything that is needed to send it again and to judge its answer.</summary>
internal readonly record struct KeyRequest(KeyRequestKind Kind, int Key)
{
    /// <summary>Value that a write gives the key; no other write has the value.</summary>
    public int Value { get; init; }

    /// <summary>Bytes of the value.</summary>
    public int Length { get; init; }

    /// <summary>Value that a replacement or deletion expects, or that a waiting client knows.</summary>
    public int Expected { get; init; } = RegisterValue.Absent;

    /// <summary>Tag of the expected value; 0 without one.</summary>
    public long Tag { get; init; }

    /// <summary>Seconds that the key lives; 0 for ever.</summary>
    public int TimeToLive { get; init; }

    /// <summary>Maximum seconds of a wait.</summary>
    public int Wait { get; init; }

    /// <summary>Maximum age, in seconds, of the state that may answer; MaxValue for any.</summary>
    public int StaleMax { get; init; }

    /// <summary>Idempotency key; 0 without one.</summary>
    public int Token { get; init; }

    /// <summary>True if the idempotency key is that of an earlier request that succeeded.</summary>
    public bool ReusesToken { get; init; }

    /// <summary>Value of the counter that the request writes; 0 for other keys.</summary>
    public int Count { get; init; }

    public bool IsWrite => Kind is not (KeyRequestKind.Get or KeyRequestKind.Wait or KeyRequestKind.Stale);

    /// <summary>True if the request has a place in the history of linearizable operations.</summary>
    public bool IsInHistory => Kind != KeyRequestKind.Stale && !ReusesToken;

    public Operation ToOperation(int client) => Kind switch
    {
        KeyRequestKind.Put => Operation.Put(client, Key, Value),
        KeyRequestKind.Create => Operation.CompareAndSet(client, Key, RegisterValue.Absent, Value),
        KeyRequestKind.Replace => Operation.CompareAndSet(client, Key, Expected, Value),
        KeyRequestKind.Delete => Operation.CompareAndSet(client, Key, Expected, RegisterValue.Absent),
        _ => Operation.Get(client, Key),
    };

    /// <param name="key">Name of the key.</param>
    /// <param name="value">Bytes of the value, if the request writes one.</param>
    public ClientRequest ToRequest(IRequestOwner owner, byte[] key, ReadOnlySpan<byte> value)
    {
        ClientRequest request = new(owner);
        request.Begin();
        KeyFields fields = default;
        switch (Kind)
        {
            case KeyRequestKind.Put or KeyRequestKind.Create or KeyRequestKind.Replace:
                AddConditions(ref fields, RequestMethod.Put);
                request.BeginPut(key, value.Length, fields);
                request.AppendBody(value);
                request.EndBody();
                break;
            case KeyRequestKind.Delete:
                AddConditions(ref fields, RequestMethod.Delete);
                request.BeginDelete(key, fields);
                request.EndBody();
                break;
            default:
                AddPreferences(ref fields);
                request.BeginGet(key, fields, waitMax: int.MaxValue);
                break;
        }
        return request;
    }

    private void AddConditions(ref KeyFields fields, RequestMethod method)
    {
        if (Kind == KeyRequestKind.Create)
            Add(ref fields, method, "if-none-match", "*");
        if (Kind is KeyRequestKind.Replace or KeyRequestKind.Delete)
            Add(ref fields, method, "if-match", Expected == RegisterValue.Any ? "*" : Quoted(Tag));
        if (TimeToLive > 0)
            Add(ref fields, method, "raftfast-ttl", TimeToLive.ToString(CultureInfo.InvariantCulture));
        if (Token != 0)
            Add(ref fields, method, "idempotency-key", Quoted(Token));
    }

    private void AddPreferences(ref KeyFields fields)
    {
        if (Kind == KeyRequestKind.Wait)
            Add(ref fields, RequestMethod.Get, "prefer", $"wait={Wait}");
        if (Tag != 0)
            Add(ref fields, RequestMethod.Get, "if-none-match", Quoted(Tag));
        if (Kind == KeyRequestKind.Stale)
        {
            string directive = StaleMax == int.MaxValue ? "max-stale" : $"max-stale={StaleMax}";
            Add(ref fields, RequestMethod.Get, "cache-control", directive);
        }
    }

    private static string Quoted(long number) => string.Create(CultureInfo.InvariantCulture, $"\"{number}\"");

    private static void Add(ref KeyFields fields, RequestMethod method, string name, string value)
    {
        Refusal? refusal = fields.Add(method, Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
        Invariant.Hold(refusal is null);
    }
}

internal enum KeyRequestKind
{
    Get,
    Put,

    /// <summary>PUT with <c>If-None-Match: *</c>.</summary>
    Create,

    /// <summary>PUT with <c>If-Match</c>.</summary>
    Replace,

    /// <summary>DELETE with <c>If-Match</c>: a tag, or <c>*</c>.</summary>
    Delete,

    /// <summary>GET that waits until the key has another tag, or exists.</summary>
    Wait,

    /// <summary>GET with <c>max-stale</c>.</summary>
    Stale,
}
