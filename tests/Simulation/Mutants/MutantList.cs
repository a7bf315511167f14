namespace RaftFast.Simulation.Mutants;

/// <summary>The bugs that the simulator must find: mistakes that real systems have made, each in the smallest form that it takes here.</summary>
internal static class MutantList
{
    public static IReadOnlyList<Mutant> All { get; } =
    [
        new("vote-not-persisted", "A vote given within a term survives a crash.", "Server/ReadyExecutor.cs",
            "if (core.HardState == persisted)",
            "if (core.HardState.Term == persisted.Term)"),
        new("message-before-hard-state", "Nothing is said before the term and vote that it depends on are durable.", "Server/ReadyExecutor.cs",
            "if (durableBatch < hardStateBatch)",
            "if (durableBatch < 0)"),
        new("acknowledge-before-sync", "A follower acknowledges what it has on stable storage, and no more.", "Consensus/Follower.cs",
            "acknowledged = Math.Min(matched, Core.Log.Durable);",
            "acknowledged = matched;"),
        new("leader-counts-unsynced", "The leader counts itself once its own write is durable.", "Consensus/Leader.cs",
            "i == self ? Core.Log.Durable :",
            "i == self ? Core.Log.Last.Index :"),
        new("overwritten-completion-counts", "A sync of an entry that has been overwritten since says nothing of its successor.", "Consensus/RaftLog.cs",
            "if (entry.Index <= Durable || !Matches(entry))",
            "if (entry.Index <= Durable || entry.Index > Last.Index)"),
        new("prior-term-commit", "Counting replicas commits only entries of the leader's own term (§5.4.2).", "Consensus/Leader.cs",
            " || Core.Log.TermAt(index) != Core.Term)",
            ")"),
        new("commit-below-majority", "An entry is committed once a majority holds it.", "Consensus/Quorum.cs",
            "sorted[(voters.Length - 1) / 2]",
            "sorted[Math.Min(voters.Length - 1, voters.Length / 2 + 1)]"),
        new("commit-beyond-match", "A heartbeat commits no further than the follower's log is known to match.", "Consensus/Leader.cs",
            """
            // Not beyond what matches: the follower's log may still differ there.
                    long commit = Math.Min(Core.Log.Committed, progress.Match);
            """,
            "long commit = Core.Log.Committed;"),
        new("commit-beyond-append", "An append commits no further than the entries that it has checked (figure 2).", "Consensus/Follower.cs",
            "log.CommitTo(Math.Min(message.Commit, lastNew));",
            "log.CommitTo(message.Commit);"),
        new("election-without-majority", "A majority elects a leader.", "Consensus/Quorum.cs",
            "int majority = voters.Length / 2 + 1;",
            "int majority = (voters.Length + 1) / 2 - voters.Length / 3;"),
        new("vote-for-shorter-log", "A vote goes only to a log that is at least as up-to-date (§5.4.1).", "Consensus/RaftCore.cs",
            """
            
                        && Log.IsUpToDate(request.Position);
            """,
            ";"),
        new("vote-twice", "A server votes once in a term (§5.2).", "Consensus/RaftCore.cs",
            "(HardState.Vote == 0 && LeaderId == 0)",
            "LeaderId == 0"),
        new("old-vote-counts", "A vote counts in the term for which it was given.", "Consensus/RaftCore.cs",
            "if (message.Term < Term && !IsAnswerToPreVote(message))",
            "if (message.Term < Term && !IsAnswerToPreVote(message) && message.Type != MessageType.VoteResponse)"),
        new("ballots-kept", "Each campaign counts its own votes.", "Consensus/Candidate.cs",
            "Array.Clear(ballots);",
            ""),
        new("conflict-kept", "A conflicting entry is removed, and all that follow it (§5.3).", "Consensus/Follower.cs",
            "Core.Log.TruncateFrom(entries[0].Position.Index);",
            ""),
        new("late-append-truncates", "An append that the log already holds removes nothing (§5.3).", "Consensus/Follower.cs",
            "int known = Known(entries);",
            "int known = 0;"),
        new("probe-forgotten", "A lost append is sent again.", "Consensus/Progress.cs",
            "public void HeartbeatAnswered() => probeIsOut = false;",
            "public void HeartbeatAnswered() { }"),
        new("read-before-own-commit", "A leader knows what is committed once an entry of its own term is (§6.4).", "Consensus/Leader.cs",
            "if (!reads.MayBegin || Core.Log.Committed < termStart)",
            "if (!reads.MayBegin)"),
        new("read-without-quorum", "A leader is sure that it leads once a quorum has said so.", "Consensus/Leader.cs",
            "if (Quorum.Count(Core.Configuration, heard) != VoteResult.Won)",
            "if (Quorum.Count(Core.Configuration, heard) == VoteResult.Lost)"),
        new("read-joins-round", "A round confirms the reads that were there when it began.", "Consensus/ReadIndexQueue.cs",
            "waiting.Add((server, context));",
            "(IsConfirming ? confirming : waiting).Add((server, context));"),
        new("read-confirmed-by-earlier-question", "The answer to what was asked before says nothing of the reads that came since.", "Server/PendingReads.cs",
            "if (read.Context < firstContext || read.Context > context)",
            "if (read.Context > context)"),
        new("read-context-reused", "A process takes no answer for its own that was meant for an earlier one.", "Server/RaftNode.cs",
            "reads = new PendingReads(core, store, answers, firstNumber);",
            "reads = new PendingReads(core, store, answers, 1);"),
        new("read-without-leader", "A member that knows no leader, as one that has led, answers no reads.", "Server/PendingReads.cs",
            "public void Ask()\n    {",
            """
            public void Ask()
                {
                    if (core.LeaderId == 0 && core.Log.Committed > 0)
                    {
                        foreach (PendingRead read in waiting)
                            confirmed.Enqueue(read);
                        waiting.Clear();
                    }
            """),
        new("forwarded-twice", "A forwarded write is sent once.", "Server/WriteRouter.cs",
            "if (isSent)\n            forwarded.AddFrame(leader, writes);",
            """
            if (isSent)
                        forwarded.AddFrame(leader, writes);
                    if (!isSent || !network.Begin(message with { Context = long.MaxValue - message.Context }, length))
                        return;
                    foreach (WaitingWrite write in writes)
                        network.Write(leader, write.Request.Record);
            """),
        new("forwarded-then-refused", "503 means that it did not happen and will not.", "Server/ForwardedWrites.cs",
            "answers.OutcomeUnknown(write.Request);",
            "answers.NotDone(write.Request);"),
        new("proposed-then-refused", "503 means that it did not happen and will not.", "Server/PendingWrites.cs",
            "byIndex.Remove(index);\n            answers.OutcomeUnknown(write.Request);",
            "byIndex.Remove(index);\n            answers.NotDone(write.Request);"),
        new("another's-entry-acknowledged", "204 means that this write was applied, not another one in its place.", "Server/PendingWrites.cs",
            "if (write.Term == position.Term)",
            "if (write.Term <= position.Term)"),
        new("torn-batch-kept", "Recovery drops a batch that isn't as it was written.", "Storage/WalReplay.cs",
            "if (Record.TryRead(segment[at..end], out RecordHeader record) != DecodeStatus.Complete)",
            "if (Record.TryReadHeader(segment[at..end], out RecordHeader record) != DecodeStatus.Complete)"),
        new("damage-cut-off", "Damage that a later batch follows is refused, not cut off.", "Storage/WalReplay.cs",
            "for (int at = searchOffset; at < TailEnd;",
            "for (int at = TailEnd; at < TailEnd;"),
        new("directory-not-synced", "A segment's name is durable before what is in it is acknowledged.", "Storage/WalSegments.cs",
            "disk.SyncDirectory();\n            file?.Dispose();",
            "file?.Dispose();"),
        new("slab-reused-early", "Memory is used again once what is in it is written.", "Storage/WalSlabs.cs",
            "slab.LastBatch <= durableBatch && (slab.IsEmpty",
            "(slab.IsEmpty"),
        new("truncated-entry-read", "What was read ahead goes when it is truncated.", "Storage/Wal.cs",
            "reader.Truncate(index);",
            ""),
        new("changes-overlap", "One change of configuration at a time (thesis §4.1).", "Consensus/Leader.cs",
            "&& !Core.IsChangingConfiguration",
            ""),
        new("change-before-own-commit", "No change of configuration before an entry of the leader's term has committed.", "Consensus/Leader.cs",
            "Core.Log.Committed >= termStart\n        && !Core.IsChangingConfiguration",
            "!Core.IsChangingConfiguration"),
        new("configuration-not-rolled-back", "A configuration that is truncated with the log is undone (thesis §4.1).", "Consensus/RaftLog.cs",
            "Configurations.TruncateFrom(index);",
            ""),
        new("configuration-not-recovered", "The configuration in effect is the last one in the log, after a restart too.", "Storage/WalReplay.cs",
            "configurations.Add((index, configuration));",
            ""),
        new("configuration-when-committed", "A configuration is in effect as soon as it is in the log (§6).", "Consensus/ConfigurationHistory.cs",
            "public ConfigurationState Effective => entries[^1].State;",
            "public ConfigurationState Effective => entries[0].State;"),
        new("learner-counts", "A learner counts for nothing (thesis §4.2.1).", "Consensus/ConfigurationState.cs",
            "if (member.Role == MemberRole.Voter)",
            "if (member.Role != MemberRole.Leaving)"),
        new("forgotten-promises", "Who comes back with an empty disk under its old id is refused.", "Storage/MetDirectories.cs",
            "return known == directory;",
            "return true;"),
        new("removed-is-admitted", "Who was removed is told so, and stops.", "Server/Peers/PeerAdmission.cs",
            "public bool WasRemoved(ulong id) => committed.WasRemoved(id);",
            "public bool WasRemoved(ulong id) => committed.WasRemoved(id) && id == 0;"),
        new("removed-id-comes-back", "An id is never used again.", "Consensus/MembershipPolicy.cs",
            "if (next.WasRemoved(change.Id))",
            "if (next.WasRemoved(change.Id) && next.ClusterId == 0)"),
    ];
}
