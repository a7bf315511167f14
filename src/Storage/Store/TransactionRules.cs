using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Effects of transactions, decided when the entry is applied, from the state alone. All operations take effect, or
/// none: everything that may fail is decided before the first change.
/// </summary>
internal static class TransactionRules
{
    public static ApplyResult Apply(KeyValueStore store, scoped in TransactionCommand transaction)
    {
        if (store.TryRepeat(transaction.Token, transaction.Fingerprint, out ApplyResult first))
            return first;
        CommandResult result = Judge(store, transaction);
        if (result.Status == CommandStatus.Done)
            Change(store, transaction);
        ApplyResult applied = new(result, default);
        store.Remember(transaction.Token, transaction.Fingerprint, applied);
        return applied;
    }

    /// <summary>Decides if the transaction takes effect, and changes nothing.</summary>
    private static CommandResult Judge(KeyValueStore store, scoped in TransactionCommand transaction)
    {
        int ordinal = 0;
        foreach (TransactionPart condition in transaction.Conditions)
        {
            if (!Holds(store, condition))
                return new CommandResult(CommandStatus.ConditionFailed, store.AppliedIndex, ordinal);
            ordinal++;
        }
        ordinal = 0;
        int keys = 0;
        long bytes = 0;
        foreach (TransactionPart operation in transaction.Operations)
        {
            if (operation.Kind == TransactionPartKind.Get)
                bytes += store.TryGet(operation.Key, out ReadOnlySpan<byte> value, out _) ? value.Length : 0;
            if (operation.Kind == TransactionPartKind.DeletePrefix)
                bytes += CountPrefix(store, operation.Key, ref keys);
            if (bytes > TransactionCommand.BytesMax || keys > TransactionCommand.PrefixKeysMax)
                return new CommandResult(CommandStatus.TooLarge, store.AppliedIndex, ordinal);
            ordinal++;
        }
        return new CommandResult(CommandStatus.Done, store.AppliedIndex);
    }

    private static bool Holds(KeyValueStore store, scoped in TransactionPart condition)
    {
        long tag = store.TagOf(condition.Key);
        return condition.Kind switch
        {
            TransactionPartKind.Exists => tag != 0,
            TransactionPartKind.Absent => tag == 0,
            _ => tag != 0 && tag == condition.Argument,
        };
    }

    /// <summary>Counts keys under a prefix, up to one more than may be deleted.</summary>
    /// <returns>Bytes of these keys: the history of changes gets each of them.</returns>
    private static long CountPrefix(KeyValueStore store, ReadOnlySpan<byte> prefix, ref int keys)
    {
        long bytes = 0;
        store.Order.Seek(prefix);
        while (keys <= TransactionCommand.PrefixKeysMax && store.Order.TryTake(out Slot slot)
            && slot.Key.StartsWith(prefix))
        {
            keys++;
            bytes += slot.Key.Length;
        }
        return bytes;
    }

    private static void Change(KeyValueStore store, scoped in TransactionCommand transaction)
    {
        foreach (TransactionPart operation in transaction.Operations)
        {
            switch (operation.Kind)
            {
                case TransactionPartKind.Put:
                    long? time = operation.Argument > 0 ? store.LogTime + operation.Argument : null;
                    store.Put(operation.Key, operation.Value, time);
                    store.History?.Add(ChangeKind.Put, store.AppliedIndex, operation.Key, operation.Value);
                    break;
                case TransactionPartKind.Delete:
                    Delete(store, operation.Key);
                    break;
                case TransactionPartKind.DeletePrefix:
                    DeletePrefix(store, operation.Key);
                    break;
            }
        }
    }

    private static void DeletePrefix(KeyValueStore store, ReadOnlySpan<byte> prefix)
    {
        Span<byte> buffer = stackalloc byte[PutCommand.KeyBytesMax];
        while (true)
        {
            // A deletion changes the order, so each search begins anew.
            store.Order.Seek(prefix);
            if (!store.Order.TryTake(out Slot slot) || !slot.Key.StartsWith(prefix))
                return;
            // The deletion frees the slot.
            Span<byte> key = buffer[..slot.Key.Length];
            slot.Key.CopyTo(key);
            Delete(store, key);
        }
    }

    private static void Delete(KeyValueStore store, ReadOnlySpan<byte> key)
    {
        if (store.Delete(key))
            store.History?.Add(ChangeKind.Delete, store.AppliedIndex, key, default);
    }
}
