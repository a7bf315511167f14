using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Answers to clients, each with its status and one line of text. 503, 507 and 409 mean that nothing was done and never
/// will be. 504 means that the outcome is unknown. A "change" is a POST or DELETE of a member:
/// <code>
/// request        state                                                                   answer
/// write          its entry is applied, or its idempotency key's first request was        204
/// transaction    the same; the API answers 200, with the index                           204
/// transaction    it would delete or read more than one entry may                         413
/// write, read    a condition does not hold, at the entry or at the read's index          412
/// read           If-None-Match names the present value, and the wait is over             304
/// write          its idempotency key belongs to another request                          422
/// change         its configuration is committed                                          204
/// read           its index is confirmed and applied                                      200, 404
/// any            this member has been removed, and the request was sent nowhere          503
/// write, change  no leader took it before its time was up                                503
/// read           no leader confirmed an index before its time was up                     503
/// read           its index was confirmed, but not applied here before its time was up    503
/// read           answers that clients did not take filled the memory for answers         503
/// write          the connection to the leader broke before it was sent                   503
/// write          the leader refused it: too many uncommitted bytes, or not leader now    503
/// write          it needs log time, and the leader it was sent to has just been elected  503
/// write          the leader's disk hangs: its oldest log write has been out too long     503
/// write, change  another leader's entry is applied in its place in the log               503
/// write, change  too many of its kind wait already                                       503
/// write          a member does not know conditions, times to live and idempotency keys   503
/// write          its idempotency key is new, and the table of outcomes is full           503
/// read           it accepts stale state, and this member never knew its state's age      503
/// read           it waits for a change, and no leader is known or this member stops      503
/// write, change  it was sent to a leader, and the connection broke before the answer     504
/// write, change  it was sent or proposed, but not applied here before its time was up    504
/// write, change  a snapshot covers its place in the log: whose entry it was is unknown   504
/// write          another leader gave its place in the log to a later write               504
/// write, change  the leader's disk has no room for the log                               507
/// write          no majority of the voters has room for the log                          507
/// write          the state has reached its bound, and the write needs more memory        507
/// change         another change was under way until its time was up                      409
/// change         its id or URL is taken or was used, or the members' number forbids it   409
/// change         no majority of the voters that it leaves would write                    409
/// change         its URL is no URL                                                       400
/// </code>
/// Owners are resumed together, after a whole batch of inputs, so that each connection flushes once.
/// </summary>
internal sealed class Answers
{
    private readonly List<IRequestOwner> touched = new(256);

    private bool isMemberRemoved;

    /// <summary>
    /// This member has been removed: requests that still wait for a leader are answered with that reason from now on.
    /// </summary>
    public void MemberRemoved() => isMemberRemoved = true;

    /// <summary>The write is applied, or the change of the members committed.</summary>
    public void Done(ClientRequest request, in CommandResult result)
    {
        if (request.Transaction is { } transaction)
        {
            (transaction.Index, transaction.Part, transaction.IsRepeated) =
                (result.Tag, result.Part, result.IsRepeated);
        }
        switch (result.Status)
        {
            case CommandStatus.ConditionFailed when request.Transaction is not null:
                Error(request, 412, Encoding.ASCII.GetBytes(
                    $"Condition {result.Part} does not hold (counted from 0). Nothing was changed; "
                    + "read the key again.\n"));
                return;
            case CommandStatus.ConditionFailed:
                ConditionFailed(request, result.Tag);
                return;
            case CommandStatus.TooLarge:
                Error(request, 413, Encoding.ASCII.GetBytes(
                    $"Operation {result.Part} (counted from 0) is too much: a transaction deletes at most "
                    + $"{TransactionCommand.PrefixKeysMax} keys by their prefix, and the values that it reads and the "
                    + $"keys that it deletes so have at most {TransactionCommand.BytesMax} bytes together. "
                    + "Nothing was changed; send smaller transactions.\n"));
                return;
            case CommandStatus.KeyReused:
                Error(request, 422,
                    "Not done: this Idempotency-Key belongs to another request. Nothing was changed; "u8
                    + "use a new key for each request, and the same key only to send the same request again.\n"u8);
                return;
            default:
                request.CompleteNoContent(result.Tag);
                Touch(request);
                return;
        }
    }

    /// <summary>412.</summary>
    /// <param name="tag">Index of the key's last write; 0 if the key does not exist.</param>
    /// <param name="age">Maximum age of the state in seconds; -1 for an answer without Age.</param>
    public void ConditionFailed(ClientRequest request, long tag, long age = -1)
    {
        Span<byte> text = stackalloc byte[160];
        bool fits = tag == 0
            ? Utf8.TryWrite(
                text, $"Precondition failed: the key does not exist. Nothing was changed; read the key again.\n",
                out int length)
            : Utf8.TryWrite(
                text,
                $"Precondition failed: the key's ETag is \"{tag}\". Nothing was changed; read the key again.\n",
                out length);
        Invariant.Hold(fits);
        request.CompleteError(412, text[..length], tag, age);
        Touch(request);
    }

    /// <param name="age">Maximum age of the state in seconds; -1 for an answer without Age.</param>
    public void Found(ClientRequest request, ReadOnlySpan<byte> value, long tag, long age)
    {
        request.CompleteValue(value, tag, age);
        Touch(request);
    }

    /// <inheritdoc cref="Found"/>
    public void NotModified(ClientRequest request, long tag, long age)
    {
        request.CompleteNotModified(tag, age);
        Touch(request);
    }

    /// <inheritdoc cref="Found"/>
    public void NotFound(ClientRequest request, long age)
    {
        request.CompleteNotFound(age);
        Touch(request);
    }

    /// <summary>503: a member would not understand the request's entry.</summary>
    public void NotUnderstood(ClientRequest request, ulong member)
    {
        string unknown = request.Method == ClientRequestMethod.Transaction
            ? "transactions"
            : "conditions, times to live and idempotency keys";
        Error(request, 503, Encoding.ASCII.GetBytes(
            $"Not done: member {member} is not known to run a version with {unknown}. "
            + $"Nothing was changed; upgrade or start member {member}, or remove it.\n"));
    }

    /// <summary>503: not done, and never will be.</summary>
    public void NotDone(ClientRequest request, NotDoneReason reason) =>
        Error(request, 503, isMemberRemoved && IsWait(reason) ? RemovedText : TextOf(reason, request.Method));

    /// <summary>503, at once: not done, and never will be.</summary>
    public void Busy(ClientRequest request) => Error(request, 503, request.IsWrite
        ? "Not done: too many writes are waiting. Nothing was changed; try again later.\n"u8
        : "Not done: too many changes of the members are waiting. Nothing was changed; try again later.\n"u8);

    /// <summary>504: the request may or may not take effect.</summary>
    public void OutcomeUnknown(ClientRequest request) => Error(request, 504, request.Method switch
    {
        ClientRequestMethod.AddMember =>
            "Outcome unknown: the member may have been added, or may yet be. Send the same POST again: "u8
            + "204 means that it is a member.\n"u8,
        ClientRequestMethod.RemoveMember =>
            "Outcome unknown: the member may have been removed, or may yet be. Send the DELETE again: "u8
            + "204 means that it is no member.\n"u8,
        _ when request.HasIdempotencyKey =>
            "Outcome unknown: the write may have taken effect, or may yet. Send the same request again, "u8
            + "with the same Idempotency-Key: the answer is then the outcome.\n"u8,
        _ =>
            "Outcome unknown: the write may have taken effect, or may yet. Read the key before writing again.\n"u8,
    });

    public void DiskFull(ClientRequest request) => Error(request, 507,
        "Not done: the leader's disk has no room for the log. Nothing was changed; "u8
        + "free space on that disk, or raise the quota or the file size limit (ulimit -f) there, then try again.\n"u8);

    /// <summary>507 at the leader: an entry would not be committed before voters have room again.</summary>
    public void MajorityFull(ClientRequest request) => Error(request, 507,
        "Not done: the disks of too many members have no room for the log. Nothing was changed; "u8
        + "free space on those disks, then try again.\n"u8);

    /// <summary>507 for a forwarded write.</summary>
    public void LeaderFull(ClientRequest request) => Error(request, 507,
        "Not done: the leader, or a majority of the members, has no room for the write: a disk is full, or "u8
        + "--state-max is reached. Nothing was changed; make room there, then try again.\n"u8);

    /// <summary>507: the keys and values have reached their bound, and the write would need more memory.</summary>
    public void StateFull(ClientRequest request) => Error(request, 507,
        "Not done: the keys and values have reached --state-max. Nothing was changed; "u8
        + "a value no larger than the present one is accepted. "u8
        + "Give the members more memory and a larger --state-max.\n"u8);

    /// <param name="reason">The fault of the URL, and a URL that would be right.</param>
    public void BadAddress(ClientRequest request, string reason) =>
        Error(request, 400, Encoding.UTF8.GetBytes($"Not done: {reason}\n"));

    /// <param name="missing">The voters that don't write, if the refusal is VotersMissing.</param>
    public void Refused(ClientRequest request, ChangeRefusal refusal, MissingVoters missing = default)
    {
        if (refusal == ChangeRefusal.DiskFull)
            DiskFull(request);
        else if (refusal == ChangeRefusal.VotersMissing)
            Error(request, 409, Encoding.UTF8.GetBytes(TextOf(missing)));
        else if (refusal is >= ChangeRefusal.ChangeUnderWay and < ChangeRefusal.DiskFull)
            Error(request, 409, TextOf(refusal, request.Method));
        else
            NotDone(request, NotDoneReason.LeaderRefused);
    }

    /// <summary>Has each owner with new answers write them.</summary>
    public void Flush(Action<ReadOnlySpan<IRequestOwner>> resume)
    {
        if (touched.Count == 0)
            return;
        resume(CollectionsMarshal.AsSpan(touched));
        touched.Clear();
    }

    private static bool IsWait(NotDoneReason reason) =>
        reason is NotDoneReason.NoLeader or NotDoneReason.NotApplied or NotDoneReason.LeaderLost;

    private static ReadOnlySpan<byte> RemovedText =>
        "Not done: this member has been removed from the cluster. Nothing was changed; "u8
        + "send the request to another member.\n"u8;

    private static ReadOnlySpan<byte> TextOf(NotDoneReason reason, ClientRequestMethod method) => reason switch
    {
        NotDoneReason.NoLeader => method switch
        {
            ClientRequestMethod.Put or ClientRequestMethod.Delete or ClientRequestMethod.Transaction =>
                "Not done: no leader could take the write before its time was up. Nothing was changed; try again.\n"u8,
            ClientRequestMethod.Get =>
                "Not done: no leader confirmed the read before its time was up. "u8
                + "Try again, or read from another member.\n"u8,
            _ =>
                "Not done: no leader could make the change of the members before its time was up. "u8
                + "Nothing was changed; try again.\n"u8,
        },
        NotDoneReason.NotApplied =>
            "Not done: this member had not caught up with the leader before the read's time was up. "u8
            + "Try again, or read from another member.\n"u8,
        NotDoneReason.NoRoom =>
            "Not done: answers that clients do not take fill this member's memory. "u8
            + "Take the answers to earlier requests, or read from another member.\n"u8,
        NotDoneReason.LeaderUnreachable =>
            "Not done: the connection to the leader broke before the write was sent. Nothing was changed; "u8
            + "try again.\n"u8,
        NotDoneReason.LeaderRefused => method is not (ClientRequestMethod.AddMember or ClientRequestMethod.RemoveMember)
            ? "Not done: the leader was too busy for the write, waited for its disk, or no longer led. "u8
                + "Nothing was changed; try again.\n"u8
            : "Not done: the leader refused the change of the members. Nothing was changed; try again.\n"u8,
        NotDoneReason.OutcomesFull =>
            "Not done: too many idempotency keys are remembered. Nothing was changed; try again later, "u8
            + "or give the members a larger --idempotency-memory.\n"u8,
        NotDoneReason.StateUnknown =>
            "Not done: this member has not learnt yet how old its state is. "u8
            + "Try again, or read from another member.\n"u8,
        NotDoneReason.LeaderLost =>
            "Not done: no leader is known, so a change of the key might be missed. "u8
            + "Try again, or wait at another member.\n"u8,
        NotDoneReason.Stopping =>
            "Not done: this member is stopping. Send the request to another member.\n"u8,
        NotDoneReason.DiskHangs =>
            "Not done: the leader's disk does not answer, and no other member has taken over yet. "u8
            + "Nothing was changed; try again.\n"u8,
        NotDoneReason.Overwritten => method is not (ClientRequestMethod.AddMember or ClientRequestMethod.RemoveMember)
            ? "Not done: a new leader was elected before the write was committed. Nothing was changed; try again.\n"u8
            : "Not done: a new leader was elected before the change of the members was committed. "u8
                + "Nothing was changed; try again.\n"u8,
        _ => RemovedText,
    };

    private static ReadOnlySpan<byte> TextOf(ChangeRefusal refusal, ClientRequestMethod method) => refusal switch
    {
        ChangeRefusal.ChangeUnderWay =>
            "Not done: another change of the members was under way until the time was up. Nothing was changed; "u8
            + "try again.\n"u8,
        ChangeRefusal.IdInUse =>
            "Not done: a member has this id under another URL. "u8
            + "Remove that member, then add the node under a new id.\n"u8,
        ChangeRefusal.IdWasRemoved =>
            "Not done: a member with this id was removed, and ids are never used again. Choose a new id.\n"u8,
        ChangeRefusal.AddressInUse =>
            "Not done: this URL is another member's. Give the node a URL of its own.\n"u8,
        ChangeRefusal.LastVoter =>
            "Not done: this member is the last voter, and without it nothing could be agreed on. "u8
            + "Add another member first.\n"u8,
        _ when method == ClientRequestMethod.AddMember =>
            "Not done: the cluster has as many members as it can have. Remove a member first.\n"u8,
        _ =>
            "Not done: the cluster has removed as many members as it can remember. "u8
            + "Restore a backup as a new cluster.\n"u8,
    };

    private static string TextOf(MissingVoters missing)
    {
        string others = missing.Count switch
        {
            <= 1 => "does",
            2 => "and one other voter do",
            _ => $"and {missing.Count - 1} other voters do",
        };
        string them = missing.Count <= 1 ? "it" : "them";
        return $"Not done: member {missing.First} {others} not write, and without {them} the voters that remain would "
            + $"be no majority. Nothing was changed; start member {missing.First} again and let it catch up, "
            + $"or remove it first with DELETE /{missing.First}.\n";
    }

    private void Error(ClientRequest request, int status, ReadOnlySpan<byte> body)
    {
        request.CompleteError(status, body);
        Touch(request);
    }

    private void Touch(ClientRequest request)
    {
        if (request.Owner.MarkForResume())
            touched.Add(request.Owner);
    }
}

/// <summary>Reason for which a request was not done, and never will be.</summary>
internal enum NotDoneReason
{
    /// <summary>No leader took the request, or confirmed the read, before its time was up.</summary>
    NoLeader,

    /// <summary>The read's index was confirmed, but not applied here, before its time was up.</summary>
    NotApplied,

    /// <summary>Until the read's time was up, answers that clients did not take filled the memory.</summary>
    NoRoom,

    /// <summary>The read accepts stale state, and this member never knew the age of its state.</summary>
    StateUnknown,

    /// <summary>The read waits for a change, and no leader has been known for a request's time.</summary>
    LeaderLost,

    /// <summary>The read waits for a change, and the process stops.</summary>
    Stopping,

    /// <summary>The write's idempotency key is new, and the table of outcomes is full.</summary>
    OutcomesFull,

    /// <summary>The connection to the leader broke before the write was sent.</summary>
    LeaderUnreachable,

    /// <summary>The request reached the leader, which refused it.</summary>
    LeaderRefused,

    /// <summary>The leader's oldest log write has been out for too long.</summary>
    DiskHangs,

    /// <summary>Another leader's entry is applied in the request's place in the log.</summary>
    Overwritten,

    /// <summary>This member has been removed from the cluster.</summary>
    MemberRemoved,
}
