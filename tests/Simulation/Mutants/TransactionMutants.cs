namespace RaftFast.Simulation.Mutants;

/// <summary>Bugs in transactions over several keys.</summary>
internal static class TransactionMutants
{
    public static IReadOnlyList<Mutant> All { get; } =
    [
        new("failed-transaction-writes", "A transaction whose condition does not hold changes nothing.",
            "Storage/Store/TransactionRules.cs",
            "if (result.Status == CommandStatus.Done)",
            """
            foreach (TransactionPart operation in transaction.Operations)
            {
                if (operation.Kind == TransactionPartKind.Put)
                    store.Put(operation.Key, operation.Value, null);
                break;
            }
            if (result.Status == CommandStatus.Done)
            """),
        new("transaction-judged-when-proposed",
            "The conditions of a transaction are evaluated when the entry is applied, not when it is proposed.",
            "Server/Node/Requests/CommandGate.cs",
            "CommandHead.SetTime(record, header, clock.Now);",
            """
            Span<byte> payload = record.Slice(Record.HeaderSize, header.PayloadLength);
            int at = TransactionCommand.HeaderSize + payload[3];
            for (int i = 0; CommandHead.IsTransaction(payload) && i < payload[1]; i++)
            {
                int keyLength = payload[at + 2] + (payload[at + 3] << 8);
                Span<byte> key = payload.Slice(at + TransactionPart.HeaderSize, keyLength);
                long tag = state.Store.TagOf(key);
                Span<byte> argument = payload.Slice(at + 8, 8);
                bool holds = (TransactionPartKind)payload[at] switch
                {
                    TransactionPartKind.Exists => tag != 0,
                    TransactionPartKind.Absent => tag == 0,
                    _ => tag == BitConverter.ToInt64(argument),
                };
                if (holds)
                {
                    payload[at] = (byte)TransactionPartKind.Absent;
                    argument.Clear();
                    key[1..].Fill((byte)'-');
                }
                at += TransactionPart.HeaderSize + key.Length;
            }
            Record.Finish(record, RecordType.Command, header.PayloadLength);
            CommandHead.SetTime(record, header, clock.Now);
            """),
        new("condition-of-transaction-skipped", "All conditions of a transaction must hold.",
            "Storage/Store/TransactionRules.cs",
            "if (!Holds(store, condition))",
            "if (ordinal == 0 && !Holds(store, condition))"),
        new("transaction-applied-again", "A transaction that is repeated under its idempotency key is applied once.",
            "Storage/Store/TransactionRules.cs",
            "store.Remember(transaction.Token, transaction.Fingerprint, applied);",
            ""),
        new("wait-not-woken-by-transaction", "A waiting read is answered when a transaction changes its key.",
            "Server/Node/Requests/AppliedTransactions.cs",
            "Wake(transaction);",
            ""),
        new("prefix-deletes-one-key", "The deletion of a prefix deletes all keys that begin with it.",
            "Storage/Store/TransactionRules.cs",
            "slot.Key.CopyTo(key);",
            "slot.Key.CopyTo(key);\n            Delete(store, key);\n            return;"),
        new("transaction-reads-when-asked", "A transaction reads at the place of its entry, not when it is asked for.",
            "Server/Node/Requests/AppliedTransactions.cs",
            "byNumber[number] = request;",
            """
            {
                Record.TryReadHeader(request.Record, out RecordHeader header);
                TransactionCommand.TryRead(Record.Payload(request.Record, header), out TransactionCommand asked);
                request.Transaction.Reads = Read(asked);
            }
            """),
        new("transaction-time-to-live-ignored", "A value that a transaction writes expires after its time to live.",
            "Storage/Store/TransactionRules.cs",
            "store.LogTime + operation.Argument : null",
            "operation.Argument : null"),
    ];
}
