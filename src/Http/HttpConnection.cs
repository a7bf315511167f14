using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// One connection: parses all that has arrived, submits it, writes all finished answers in order, and flushes once.
/// Input, a flush, a completed request and a deadline wake it; a wake without a cause, even after it has gone back to its
/// pool or serves another client, does no harm.
/// </summary>
public sealed class HttpConnection : IRequestOwner
{
    /// <summary>Answers that are written before they are flushed: what the socket pipes holds before it makes a writer wait.</summary>
    private const int FlushBytes = 64 * 1024;

    /// <summary>Bytes that one step takes: it may run on the thread that everybody else waits for.</summary>
    private const int StepBytes = 256 * 1024;

    private readonly HttpFront front;
    private readonly HttpLimits limits;
    private readonly SerialWork work;
    private readonly ConnectionPipes pipes;
    private readonly RequestQueue requests;
    private readonly RequestReader reader;
    private readonly ResponseWriter writer;
    private readonly Deadline deadline;

    private bool isMarkedForResume;
    private bool hasSubmitted;
    private long taken;
    private long flushingBytes;
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

    internal HttpConnection(HttpFront front, HttpLimits limits, CoarseClock clock)
    {
        this.front = front;
        this.limits = limits;
        work = new SerialWork(Step);
        pipes = new ConnectionPipes(work.Wake);
        requests = new RequestQueue(this);
        reader = new RequestReader(requests, limits, front.Access);
        writer = new ResponseWriter(clock);
        deadline = new Deadline(clock, limits);
    }

    /// <summary>Where the front keeps it among the open connections.</summary>
    internal int Slot { get; set; }

    private bool CanParse =>
        !isClosing && held is null && requests.Count < limits.PipelineDepthMax
        && requests.Bytes < limits.PipelineBytesMax && pipes.UnflushedBytes < FlushBytes;

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

    /// <summary>For the completing thread alone: true the first time since the last <see cref="Resume"/>.</summary>
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

    internal void WakeIfLate()
    {
        if (deadline.HasPassed)
            work.WakeElsewhere();
    }

    private void Step()
    {
        if (!isOpen && !TryOpen())
            return;
        if (front.IsAborting)
            pipes.Abort("the server has stopped");
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
        isClosing = isLingering = isDone = hasInputEnded = hasPartialHead = false;
        lingeredBytes = 0;
        deadline.Clear();
        front.Add(this);
        return true;
    }

    private void Converse()
    {
        bool isLate = deadline.HasPassed;
        if (pipes.PollFlush())
            deadline.Clear();
        if (pipes.IsFlushing)
        {
            if (isLate)
                pipes.Abort("the client does not read its answers");
            return;
        }
        if (isLate && deadline.HasPassed)
            OnDeadline();
        if (isDone)
            return;
        if (front.IsStopping && !isClosing)
            StopReading();
        taken = 0;
        do
        {
            WriteFinished();
            ReadRequests();
        }
        while (requests.First is { IsFinished: true } && pipes.UnflushedBytes < FlushBytes && taken < StepBytes);
        if (reader.WantsContinue && requests.IsEmpty)
        {
            ResponseWriter.WriteContinue(pipes.Output);
            reader.ContinueSent();
            deadline.Clear();
        }
        Flush();
        if (isClosing && requests.IsEmpty && held is null && !pipes.IsFlushing && !pipes.IsGone)
            Finish();
        deadline.Arm(Awaited(), pipes.IsFlushing ? flushingBytes : reader.BodyBytes);
    }

    private void WriteFinished()
    {
        while (requests.First is { IsFinished: true } request && pipes.UnflushedBytes < FlushBytes)
        {
            bool isLast = request.Closes || (front.IsStopping && requests.Count == 1 && held is null);
            writer.Write(pipes.Output, request, isLast);
            requests.Dequeue();
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
            while (CanParse && reader.TryRead(ref buffer) is { } request)
                Accept(request);
            bool needsMore = CanParse;
            hasPartialHead = needsMore && !buffer.IsEmpty;
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
    /// Pipelined requests take effect in order (RFC 9112 §9.3.2), although what they were submitted to may finish a GET
    /// before a PUT. So only requests of one method are outstanding at a time: another one is held, and parsing with it,
    /// until all before it are answered.
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
        submittedMethod = request.Method;
        hasSubmitted = true;
        requests.Enqueue(request);
        front.Submit(request);
    }

    /// <summary>No request begins any more; one that has begun gets to know.</summary>
    private void StopReading()
    {
        if (reader.IsInBody || hasPartialHead)
            Accept(reader.GiveUp(hasInputEnded ? Refusal.Truncated : Refusal.Stopping));
        isClosing = true;
    }

    private void Flush()
    {
        long unflushed = pipes.UnflushedBytes;
        if (unflushed == 0)
            return;
        flushingBytes = unflushed;
        pipes.Flush();
        // It stopped for want of room in the output, and now there is some.
        if (unflushed >= FlushBytes && !pipes.IsFlushing)
            work.Again();
    }

    /// <summary>All answers are out.</summary>
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
    /// Lets go of the pipes at once, and of itself when nobody has a request of this connection any more: until then
    /// it must not serve another.
    /// </summary>
    private void End()
    {
        isDone = true;
        if (closed is not null)
        {
            if (!pipes.TryClose())
                return;
            front.Remove(this);
            closed.SetResult();
            closed = null;
        }
        while (requests.First is { IsFinished: true })
            requests.Dequeue();
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
