using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Effects of commands of kind 2. Conditions, outcomes and expiries are decided here and in
/// <see cref="TransactionRules"/>, and nowhere else: when the entry is applied, from the state alone, and so on every
/// member alike.
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
                return ChangeOnce(store, command);
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
    /// Applies a request. If the outcome of its idempotency key is known, that first outcome is the answer, and nothing
    /// changes.
    /// </summary>
    private static ApplyResult ChangeOnce(KeyValueStore store, scoped in KeyCommand command)
    {
        if (store.TryRepeat(command.Token, command.Fingerprint, out ApplyResult first))
            return first;
        ApplyResult result = Change(store, command);
        store.Remember(command.Token, command.Fingerprint, result);
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
