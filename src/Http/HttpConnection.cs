using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// One connection. Each step parses all bytes that have arrived, submits the requests, writes all finished answers in
/// order, and flushes once. Input, a completed flush, a completed request and a passed deadline wake the connection. A
/// wake without a cause does no harm, even after the connection object serves another client.
/// </summary>
public sealed class HttpConnection : IRequestOwner
{
    /// <summary>
    /// Maximum bytes that one step takes, because the step may run on the thread that serves all sockets.
    /// </summary>
    private const int StepBytes = 256 * 1024;

    private const long NoTime = -1;

    private readonly HttpFront front;
    private readonly HttpLimits limits;
    private readonly SerialWork work;
    private readonly ConnectionPipes pipes;
    private readonly ConnectionMemory memory;
    private readonly RequestQueue requests;
    private readonly RequestReader reader;
    private readonly AnswerSender answers;
    private readonly Deadline deadline;

    private bool isMarkedForResume;
    private bool hasSubmitted;
    private long taken;
    private long movedAt;
    private long givesWaySince = NoTime;
    private long lingeredBytes;
    private ConnectionContext? arriving;

    private TaskCompletionSource? closed;
    private ClientRequest? held;
    private ClientRequestMethod submittedMethod;
    private bool isOpen;
    private bool isClosing;
    private bool isLingering;
    private bool isDone;
    private bool hasInputEnded;
    private bool hasPartialHead;
    private bool lacksRoom;
    private bool hasEnded;
    private bool mustEnd;

    internal HttpConnection(HttpFront front, HttpLimits limits, CoarseClock clock)
    {
        this.front = front;
        this.limits = limits;
        work = new SerialWork(Step);
        pipes = new ConnectionPipes(work.Wake);
        memory = new ConnectionMemory(front.Memory, limits.PipelineBytesMax);
        requests = new RequestQueue(this, memory);
        reader = new RequestReader(requests, limits, front.Access);
        answers = new AnswerSender(pipes, new ResponseWriter(clock), memory, front.Answered);
        deadline = new Deadline(clock, limits);
    }

    /// <summary>Index of this connection among the open connections of the front.</summary>
    internal int Slot { get; set; }

    /// <summary>True from the end of the connection until the connection object serves another client.</summary>
    internal bool HasEnded => Volatile.Read(ref hasEnded);

    /// <summary>Bytes that the requests and answers of this connection hold.</summary>
    internal long MemoryHeld => memory.Held;

    /// <summary>Time of the front's clock at which this connection last took or sent bytes.</summary>
    internal long MovedAt => Volatile.Read(ref movedAt);

    /// <summary>Time of the front's clock since which this connection is idle; MaxValue while it is not.</summary>
    internal long IdleSince => deadline.IdleSince;

    private bool CanParse =>
        !isClosing && !lacksRoom && held is null && requests.Count < limits.PipelineDepthMax
        && requests.Bytes < limits.PipelineBytesMax && answers.HasRoom;

    /// <inheritdoc/>
    public void Resume()
    {
        isMarkedForResume = false;
        work.Wake();
    }

    /// <inheritdoc/>
    public void ResumeElsewhere()
    {
        isMarkedForResume = false;
        work.WakeElsewhere();
    }

    /// <summary>
    /// Returns true at the first call since the last <see cref="Resume"/>. Only the thread that completes requests
    /// calls this.
    /// </summary>
    public bool MarkForResume()
    {
        bool isFirst = !isMarkedForResume;
        isMarkedForResume = true;
        return isFirst;
    }

    internal Task Serve(ConnectionContext connection)
    {
        TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        closed = completion;
        Volatile.Write(ref arriving, connection);
        work.Wake();
        return completion.Task;
    }

    internal void WakeElsewhere() => work.WakeElsewhere();

    /// <summary>Wakes the connection if its deadline has passed, or if it waits for room or can be trimmed.</summary>
    internal void WakeIfDue()
    {
        if (deadline.HasPassed || Volatile.Read(ref lacksRoom) || (requests.HasSpare && IsIdle))
            work.WakeElsewhere();
    }

    /// <summary>Closes the connection if it has been idle since the given time.</summary>
    internal void GiveWay(long idleSince)
    {
        Volatile.Write(ref givesWaySince, idleSince);
        work.WakeElsewhere();
    }

    /// <summary>Ends the connection, because other connections need its memory.</summary>
    internal void EndSoon()
    {
        Volatile.Write(ref mustEnd, true);
        work.WakeElsewhere();
    }

    internal bool IsGivingWay => Volatile.Read(ref givesWaySince) == deadline.IdleSince;

    internal bool IsEnding => Volatile.Read(ref mustEnd);

    private bool IsIdle => front.IsLongAgo(deadline.IdleSince);

    private void Step()
    {
        if (!isOpen && !TryOpen())
            return;
        if (front.IsAborting)
            pipes.Abort("the server has stopped");
        if (mustEnd)
            pipes.Abort("the client takes no answers or sends no more of a request, and others need the memory");
        if (!isDone && !pipes.IsGone)
            Converse();
        if (hasSubmitted)
        {
            hasSubmitted = false;
            front.Submitted();
        }
        if (isDone || pipes.IsGone)
            End();
    }

    private bool TryOpen()
    {
        ConnectionContext? connection = Volatile.Read(ref arriving);
        if (connection is null)
            return false;
        arriving = null;
        pipes.Open(connection);
        isOpen = true;
        isClosing = isLingering = isDone = hasInputEnded = hasPartialHead = lacksRoom = mustEnd = false;
        givesWaySince = NoTime;
        Volatile.Write(ref hasEnded, false);
        Volatile.Write(ref movedAt, front.Now);
        lingeredBytes = 0;
        deadline.Clear();
        front.Add(this);
        return true;
    }

    private void Converse()
    {
        bool isLate = deadline.HasPassed;
        if (answers.PollFlush())
        {
            deadline.Clear();
            Volatile.Write(ref movedAt, front.Now);
        }
        if (pipes.IsFlushing)
        {
            if (isLate)
                pipes.Abort("the client does not read its answers");
            return;
        }
        if (isLate && deadline.HasPassed)
            OnDeadline();
        if (givesWaySince == deadline.IdleSince && pipes.IsStarved)
            isDone = true;
        if (isDone)
            return;
        lacksRoom = false;
        if (front.IsStopping && !isClosing)
            StopReading();
        taken = 0;
        do
        {
            WriteFinished();
            ReadRequests();
        }
        while (requests.First is { IsFinished: true } && answers.HasRoom && taken < StepBytes);
        if (reader.WantsContinue && requests.IsEmpty)
        {
            ResponseWriter.WriteContinue(pipes.Output);
            reader.ContinueSent();
            deadline.Clear();
        }
        if (answers.Flush(requests.First))
            work.Again(); // The step stopped because the output was full.
        if (isClosing && requests.IsEmpty && held is null && !pipes.IsFlushing && !pipes.IsGone)
            Finish();
        deadline.Arm(Awaited(), pipes.IsFlushing ? answers.FlushingBytes : reader.BodyBytes);
        if (requests.HasSpare && requests.IsEmpty && IsIdle)
            requests.Trim();
    }

    private void WriteFinished()
    {
        while (requests.First is { IsFinished: true } request && answers.HasRoom)
        {
            bool isLast = request.Closes || (front.IsStopping && requests.Count == 1 && held is null);
            if (!answers.TryWrite(request, isLast))
                break;
            Volatile.Write(ref movedAt, front.Now);
            Dequeue(request);
        }
        if (requests.IsEmpty && held is not null)
        {
            ClientRequest next = held;
            held = null;
            Submit(next);
        }
    }

    private void ReadRequests()
    {
        while (CanParse && pipes.TryRead(out ReadResult result))
        {
            ReadOnlySequence<byte> buffer = result.Buffer;
            taken += buffer.Length;
            Volatile.Write(ref movedAt, front.Now);
            while (CanParse && reader.TryRead(ref buffer) is { } request)
                Accept(request);
            Volatile.Write(ref lacksRoom, reader.LacksRoom);
            bool needsMore = CanParse;
            hasPartialHead = (needsMore || lacksRoom) && !buffer.IsEmpty;
            pipes.Advance(buffer.Start, needsMore ? buffer.End : buffer.Start);
            if (needsMore && result.IsCompleted)
            {
                hasInputEnded = true;
                StopReading();
            }
            if (taken < StepBytes)
                continue;
            work.Again();
            return;
        }
    }

    /// <summary>
    /// Takes a parsed request. Pipelined requests must take effect in order (RFC 9112 §9.3.2), but the server may
    /// finish a GET before an earlier PUT. So only requests of one method are outstanding at a time. The first request
    /// of another method is held, and parsing stops, until all requests before it are answered.
    /// </summary>
    private void Accept(ClientRequest request)
    {
        Invariant.Hold(held is null);
        isClosing |= request.Closes;
        deadline.Clear();
        if (request.IsFinished)
            requests.Enqueue(request);
        else if (requests.IsEmpty || request.Method == submittedMethod)
            Submit(request);
        else
            held = request;
    }

    private void Submit(ClientRequest request)
    {
        requests.Enqueue(request);
        if (!front.TryBeginRequest())
        {
            request.Refuse(Refusal.Requests);
            return;
        }
        submittedMethod = request.Method;
        hasSubmitted = true;
        request.IsSubmitted = true;
        front.Submit(request);
    }

    private void Dequeue(ClientRequest request)
    {
        if (request.IsSubmitted)
            front.EndRequest();
        requests.Dequeue();
    }

    /// <summary>Begins no further request, and answers a request that has begun.</summary>
    private void StopReading()
    {
        if (reader.IsInBody || hasPartialHead)
            Accept(reader.GiveUp(hasInputEnded ? Refusal.Truncated : Refusal.Stopping));
        isClosing = true;
    }

    /// <summary>Ends the connection after its last answer, or lingers first.</summary>
    private void Finish()
    {
        isLingering = reader.HasGivenUp && !hasInputEnded;
        if (isLingering && pipes.TryRead(out ReadResult result))
        {
            lingeredBytes += result.Buffer.Length;
            pipes.Advance(result.Buffer.End, result.Buffer.End);
            isLingering = !result.IsCompleted && lingeredBytes < limits.LingerBytesMax;
            if (isLingering)
                work.Again();
        }
        isDone = !isLingering;
    }

    private Awaited Awaited() =>
        pipes.IsFlushing ? Http.Awaited.Flush
        : isLingering ? Http.Awaited.Close
        : !pipes.IsReading || isClosing ? Http.Awaited.Nothing
        : reader.IsInBody ? (reader.WantsContinue ? Http.Awaited.Nothing : Http.Awaited.Body)
        : lacksRoom ? Http.Awaited.Nothing
        : hasPartialHead ? Http.Awaited.Headers
        : requests.IsEmpty ? Http.Awaited.Request
        : Http.Awaited.Nothing;

    private void OnDeadline()
    {
        switch (deadline.Awaited)
        {
            case Http.Awaited.Headers:
                Accept(reader.GiveUp(Refusal.HeadersTimeout));
                break;
            case Http.Awaited.Body:
                Accept(reader.GiveUp(Refusal.BodyTimeout));
                break;
            default:
                isDone = true;
                break;
        }
    }

    /// <summary>
    /// Closes the pipes at once. The connection object returns to its pool when no request of it is outstanding; until
    /// then it must not serve another client.
    /// </summary>
    private void End()
    {
        isDone = true;
        if (closed is not null)
        {
            if (!pipes.TryClose())
                return;
            front.Remove(this);
            answers.Close();
            Volatile.Write(ref hasEnded, true);
            closed.SetResult();
            closed = null;
        }
        while (requests.First is { IsFinished: true } request)
            Dequeue(request);
        if (!requests.IsEmpty)
            return;
        if (held is not null)
            requests.Return(held);
        held = null;
        reader.Reset();
        requests.Trim();
        isOpen = false;
        front.Return(this);
    }
}
