using System.Text;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node.Requests;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node.Requests;

/// <summary>Each outcome has a status and a text of its own, which fits the request.</summary>
public sealed class AnswersTests : IRequestOwner
{
    private readonly Answers answers = new();

    private bool isMarked;
    private int resumptions;

    /// <summary>
    /// Every outcome but 204, 200 and 404: the request, the outcome, the status, and words of the text.
    /// </summary>
    public static TheoryData<string, string, int, string> Outcomes => new()
    {
        { "PUT", "NoLeader", 503, "no leader could take the write" },
        { "GET", "NoLeader", 503, "no leader confirmed the read" },
        { "POST", "NoLeader", 503, "no leader could make the change of the members" },
        { "DELETE", "NoLeader", 503, "no leader could make the change of the members" },
        { "GET", "NotApplied", 503, "this member had not caught up with the leader" },
        { "GET", "NoRoom", 503, "fill this member's memory" },
        { "PUT", "LeaderUnreachable", 503, "the connection to the leader broke" },
        { "PUT", "LeaderRefused", 503, "the leader was too busy for the write, waited for its disk, or no longer led" },
        { "PUT", "OutcomesFull", 503, "too many idempotency keys are remembered" },
        { "GET", "StateUnknown", 503, "this member has not learnt yet how old its state is" },
        { "GET", "LeaderLost", 503, "no leader is known" },
        { "GET", "Stopping", 503, "this member is stopping" },
        { "PUT", "NotUnderstood", 503, "member 2 is not known to run a version with conditions" },
        { "PUT", "KeyReused", 422, "this Idempotency-Key belongs to another request" },
        { "PUT", "DiskHangs", 503, "the leader's disk does not answer" },
        { "POST", "LeaderRefused", 503, "the leader refused the change of the members" },
        { "PUT", "Overwritten", 503, "a new leader was elected before the write was committed" },
        { "DELETE", "Overwritten", 503, "a new leader was elected before the change of the members was committed" },
        { "PUT", "MemberRemoved", 503, "this member has been removed" },
        { "GET", "MemberRemoved", 503, "this member has been removed" },
        { "POST", "MemberRemoved", 503, "this member has been removed" },
        { "PUT", "Busy", 503, "too many writes" },
        { "POST", "Busy", 503, "too many changes of the members" },
        { "PUT", "OutcomeUnknown", 504, "the write may have taken effect" },
        { "POST", "OutcomeUnknown", 504, "the member may have been added" },
        { "DELETE", "OutcomeUnknown", 504, "the member may have been removed" },
        { "PUT", "DiskFull", 507, "the leader's disk has no room" },
        { "POST", "DiskFull", 507, "the leader's disk has no room" },
        { "PUT", "MajorityFull", 507, "the disks of too many members have no room" },
        { "PUT", "LeaderFull", 507, "the leader, or a majority of the members, has no room for the write" },
        { "PUT", "StateFull", 507, "the keys and values have reached --state-max" },
        { "DELETE", "NotNow", 503, "the leader refused the change of the members" },
        { "POST", "ChangeUnderWay", 409, "another change of the members was under way" },
        { "POST", "IdInUse", 409, "a member has this id under another URL" },
        { "POST", "IdWasRemoved", 409, "ids are never used again" },
        { "POST", "AddressInUse", 409, "this URL is another member's" },
        { "DELETE", "LastVoter", 409, "this member is the last voter" },
        { "POST", "TooManyMembers", 409, "the cluster has as many members as it can have" },
        { "DELETE", "TooManyMembers", 409, "the cluster has removed as many members as it can remember" },
        { "DELETE", "VotersMissing", 409, "member 3 does not write, and without it the voters that remain" },
        { "POST", "BadAddress", 400, "the body is no URL" },
    };

    [Theory]
    [MemberData(nameof(Outcomes))]
    public void Outcome_has_its_own_text(string method, string outcome, int status, string words)
    {
        ClientRequest request = Request(method);
        Give(request, outcome);
        Assert.Equal(status, request.Status);
        string text = Encoding.UTF8.GetString(request.Answer);
        Assert.Contains(words, text, StringComparison.Ordinal);
        Assert.StartsWith(status == 504 ? "Outcome unknown: " : "Not done: ", text, StringComparison.Ordinal);
        Assert.Equal(text.Length - 1, text.IndexOf('\n', StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, "member 3 does not write, and without it")]
    [InlineData(2, "member 3 and one other voter do not write, and without them")]
    [InlineData(4, "member 3 and 3 other voters do not write, and without them")]
    public void Refused_removal_names_a_voter_that_is_missing_and_a_remedy(int count, string words)
    {
        ClientRequest request = Request("DELETE");
        answers.Refused(request, ChangeRefusal.VotersMissing, new MissingVoters(First: 3, count));
        string text = Encoding.UTF8.GetString(request.Answer);
        Assert.Contains(words, text, StringComparison.Ordinal);
        Assert.Contains("start member 3 again", text, StringComparison.Ordinal);
        Assert.Contains("or remove it first with DELETE /3.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_reason_is_listed_here()
    {
        HashSet<string> listed = [.. Outcomes.Select(row => row.Data.Item2)];
        Assert.All(Enum.GetNames<NotDoneReason>(), reason => Assert.Contains(reason, listed));
        Assert.All(
            Enum.GetNames<ChangeRefusal>().Where(refusal => refusal != nameof(ChangeRefusal.None)),
            refusal => Assert.Contains(refusal, listed));
    }

    [Theory]
    [InlineData("PUT", "NoLeader")]
    [InlineData("GET", "NoLeader")]
    [InlineData("GET", "NotApplied")]
    [InlineData("POST", "NoLeader")]
    public void Request_that_waits_on_a_removed_member_is_told_of_the_removal(string method, string outcome)
    {
        answers.MemberRemoved();
        ClientRequest request = Request(method);
        Give(request, outcome);
        Assert.Equal(503, request.Status);
        string text = Encoding.UTF8.GetString(request.Answer);
        Assert.Contains("this member has been removed", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Owner_is_resumed_once_for_a_batch_of_answers()
    {
        answers.Done(Request("PUT"), new CommandResult(CommandStatus.Done, 1));
        answers.NotFound(Request("GET"), age: -1);
        answers.Flush(Resume);
        Assert.Equal(1, resumptions);
        answers.Flush(Resume);
        Assert.Equal(1, resumptions);
        answers.Done(Request("PUT"), new CommandResult(CommandStatus.Done, 1));
        answers.Flush(Resume);
        Assert.Equal(2, resumptions);
    }

    bool IRequestOwner.MarkForResume()
    {
        bool isFirst = !isMarked;
        isMarked = true;
        return isFirst;
    }

    void IRequestOwner.Resume()
    {
        isMarked = false;
        resumptions++;
    }

    private static void Resume(ReadOnlySpan<IRequestOwner> owners)
    {
        foreach (IRequestOwner owner in owners)
            owner.Resume();
    }

    private ClientRequest Request(string method)
    {
        ClientRequest request = new(this);
        request.Begin();
        switch (method)
        {
            case "PUT":
                request.BeginPut("/key"u8, valueBytesMax: 0);
                break;
            case "GET":
                request.BeginGet("/key"u8);
                break;
            default:
                request.BeginMember(
                    method == "POST" ? ClientRequestMethod.AddMember : ClientRequestMethod.RemoveMember, memberId: 4);
                break;
        }
        request.EndBody();
        return request;
    }

    private void Give(ClientRequest request, string outcome)
    {
        if (Enum.TryParse(outcome, out NotDoneReason reason))
            answers.NotDone(request, reason);
        else if (outcome == "DiskFull")
            answers.DiskFull(request);
        else if (outcome == "MajorityFull")
            answers.MajorityFull(request);
        else if (outcome == "LeaderFull")
            answers.LeaderFull(request);
        else if (outcome == "StateFull")
            answers.StateFull(request);
        else if (Enum.TryParse(outcome, out ChangeRefusal refusal))
            answers.Refused(request, refusal, new MissingVoters(First: 3, Count: 1));
        else if (outcome == "Busy")
            answers.Busy(request);
        else if (outcome == "NotUnderstood")
            answers.NotUnderstood(request, member: 2);
        else if (outcome == "KeyReused")
            answers.Done(request, new CommandResult(CommandStatus.KeyReused, 0));
        else if (outcome == "BadAddress")
            answers.BadAddress(request, "the body is no URL");
        else
            answers.OutcomeUnknown(request);
    }
}
