using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Effects of commands of kind 2. Conditions, outcomes and expiries are decided here and nowhere else: when the entry
/// is applied, from the state alone, and so on every member alike.
/// </summary>
internal static class CommandRules
{
    public static ApplyResult Apply(KeyValueStore store, scoped in KeyCommand command)
    {
        switch (command.Operation)
        {
            case CommandOperation.Expire:
                return Expire(store, command);
            case CommandOperation.Forget:
                store.ForgetOutcomes(command.Argument);
                return default;
            default:
                return command.Token.IsEmpty ? Change(store, command) : ChangeOnce(store, command);
        }
    }

    /// <summary>
    /// Deletes the key unless the key was written since: a renewal that is applied before its expiry wins.
    /// </summary>
    private static ApplyResult Expire(KeyValueStore store, scoped in KeyCommand command)
    {
        bool isDue = store.TagOf(command.Key) == command.Argument
            && store.TimeOf(command.Key) is { } deadline && deadline <= store.LogTime;
        if (!isDue)
            return default;
        store.Delete(command.Key);
        store.History?.Add(ChangeKind.Expire, store.AppliedIndex, command.Key, default);
        return new ApplyResult(CommandStatus.Done, 0, command.Key);
    }

    /// <summary>
    /// Applies a request with an idempotency key, unless its outcome is known. The first outcome is then the answer to
    /// every retry.
    /// </summary>
    private static ApplyResult ChangeOnce(KeyValueStore store, scoped in KeyCommand command)
    {
        Span<byte> buffer = stackalloc byte[StateKeys.OutcomeBytesMax];
        ReadOnlySpan<byte> outcomeKey = StateKeys.OutcomeOf(command.Token, buffer);
        if (store.TryGet(outcomeKey, out ReadOnlySpan<byte> value, out _))
        {
            Outcome first = Outcome.Read(value);
            return first.Fingerprint == command.Fingerprint
                ? new ApplyResult(first.Status, first.Tag, default)
                : new ApplyResult(CommandStatus.KeyReused, 0, default);
        }
        ApplyResult result = Change(store, command);
        Span<byte> outcome = stackalloc byte[Outcome.Size];
        new Outcome(command.Fingerprint, result.Status, result.Tag).Write(outcome);
        store.Put(outcomeKey, outcome, store.LogTime);
        return result;
    }

    private static ApplyResult Change(KeyValueStore store, scoped in KeyCommand command)
    {
        long tag = command.Conditions.IsEmpty ? 0 : store.TagOf(command.Key);
        if (command.Conditions.Evaluate(tag) != ConditionResult.Hold)
            return new ApplyResult(CommandStatus.ConditionFailed, tag, default);
        if (command.Operation == CommandOperation.Put)
        {
            store.Put(command.Key, command.Value, command.Argument > 0 ? store.LogTime + command.Argument : null);
            store.History?.Add(ChangeKind.Put, store.AppliedIndex, command.Key, command.Value);
            return new ApplyResult(CommandStatus.Done, store.AppliedIndex, command.Key);
        }
        bool existed = store.Delete(command.Key);
        if (existed)
            store.History?.Add(ChangeKind.Delete, store.AppliedIndex, command.Key, default);
        return new ApplyResult(CommandStatus.Done, 0, existed ? command.Key : default);
    }
}

/// <summary>Outcome of an applied entry.</summary>
/// <param name="tag">Index of the key's last write after the entry; 0 if the key does not exist.</param>
/// <param name="changed">Key that the entry has changed; empty if none. Lies in the entry's record.</param>
public readonly ref struct ApplyResult(CommandStatus status, long tag, ReadOnlySpan<byte> changed)
{
    public CommandStatus Status { get; } = status;

    /// <summary>Index of the key's last write after the entry; 0 if the key does not exist.</summary>
    public long Tag { get; } = tag;

    /// <summary>Key that the entry has changed; empty if none.</summary>
    public ReadOnlySpan<byte> Changed { get; } = changed;
}

/// <summary>Result of a command. The values are on disk and on the wire.</summary>
public enum CommandStatus : byte
{
    Done = 0,

    /// <summary>A condition did not hold, and nothing was changed.</summary>
    ConditionFailed = 1,

    /// <summary>The idempotency key belongs to another request, and nothing was changed.</summary>
    KeyReused = 2,
}
