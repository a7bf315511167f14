namespace RaftFast.Simulation.Mutants;

/// <summary>Bugs in conditions, times to live, idempotency keys, waiting reads and stale reads.</summary>
internal static class KeyMutants
{
    public static IReadOnlyList<Mutant> All { get; } =
    [
        new("condition-when-proposed", "A condition is evaluated when the entry is applied, not when it is proposed.",
            "Server/Node/Requests/CommandGate.cs",
            "CommandHead.SetTime(record, header, clock.Now);",
            """
            Span<byte> payload = record.Slice(Record.HeaderSize, header.PayloadLength);
            KeyCommand.TryRead(payload, out KeyCommand proposal);
            if (CommandHead.VersionOf(payload) == 2
                && proposal.Conditions.Evaluate(state.Store.TagOf(proposal.Key)) == ConditionResult.Hold)
            {
                payload[4] = (byte)ConditionKinds.NoneMatch;
                payload[6] += payload[5];
                payload[5] = 0;
                payload.Slice(KeyCommand.HeaderSize, payload[6] * Conditions.TagBytes).Fill(0xFF);
                Record.Finish(record, RecordType.Command, header.PayloadLength);
            }
            CommandHead.SetTime(record, header, clock.Now);
            """),
        new("retry-gets-own-tag", "A retry is answered with the tag of the first outcome.",
            "Storage/Store/KeyValueStore.cs",
            "outcome.Result with { IsRepeated = true }",
            "outcome.Result with { IsRepeated = true, Tag = AppliedIndex }"),
        new("failed-condition-gets-own-tag", "A 412 tells the tag that the key has.", "Storage/Store/CommandRules.cs",
            "return new ApplyResult(CommandStatus.ConditionFailed, tag, default);",
            "return new ApplyResult(CommandStatus.ConditionFailed, store.AppliedIndex, default);"),
        new("outcomes-not-in-snapshot", "A snapshot carries the outcomes of requests with idempotency keys.",
            "Storage/Store/KeyValueStore.cs",
            "Invariant.Hold(index.Find(hash, entry.Key).IsNone);",
            "if (StateKeys.IsOutcome(entry.Key)) return;"),
        new("time-to-live-not-in-snapshot", "A snapshot carries the times at which keys expire.",
            "Storage/Store/KeyValueStore.cs",
            "NewSlot(entry.Key, entry.Value, entry.Index, entry.Time)",
            "NewSlot(entry.Key, entry.Value, entry.Index, entry.Key[0] == '/' ? null : entry.Time)"),
        new("log-time-of-own-clock", "Log time is what leaders' clocks have measured, not what one clock shows.",
            "Server/Node/RaftNode.cs",
            "clock.Advance(Math.Min(now - this.now, PauseMax));",
            "clock.Advance(now - clock.Now);"),
        new("age-rounded-down", "A stale read is never older than it says.",
            "Server/Node/Requests/StateAge.cs",
            "now - knownSince + 1;",
            "now - knownSince;"),
        new("expiry-of-renewed-key", "A renewal that is applied before the expiry wins.",
            "Storage/Store/CommandRules.cs",
            """
            store.TagOf(command.Key) == command.Argument
                        && store.TimeOf(command.Key) is { } deadline && deadline <= store.LogTime;
            """,
            "store.TagOf(command.Key) != 0;"),
        new("wait-not-woken-by-deletion", "A waiting read is answered when its key is deleted.",
            "Storage/Store/CommandRules.cs",
            "existed ? command.Key : default",
            "existed ? default : command.Key"),
        new("wait-not-woken-by-expiry", "A waiting read is answered when its key expires.",
            "Storage/Store/CommandRules.cs",
            "return new ApplyResult(CommandStatus.Done, 0, command.Key);",
            "return new ApplyResult(CommandStatus.Done, 0, default);"),
        new("wait-not-woken-by-install", "A waiting read is answered when an installed snapshot changes its key.",
            "Server/Node/ReadyExecutor.cs",
            "reads.StateReplaced();",
            ""),
        new("age-from-receipt", "The age of a state counts from when the question for a read index was sent.",
            "Server/Node/Requests/PendingReads.cs",
            "age.Confirmed(read.Context, read.Index);",
            "age.Asked(read.Context, now);\n        age.Confirmed(read.Context, read.Index);"),
        new("age-of-unconfirmed-state", "A state has an age only once a majority has confirmed the leader.",
            "Server/Node/Requests/PendingReads.cs",
            "age.Asked(context, now);",
            "age.Asked(context, now);\n        age.Confirmed(context, core.Log.Committed);"),
    ];
}
