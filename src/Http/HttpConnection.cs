using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// One client connection. Each step parses all input that has arrived, submits the requests, writes all finished
/// answers in order, and flushes once. Input, a completed flush, a completed request and a deadline wake the
/// connection. A wake without a cause does no harm, even after the connection has returned to its pool or serves
/// another client.
/// </summary>
public sealed class HttpConnection : IRequestOwner
{
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
    private ConnectionContext? arriving;

    private TaskCompletionSource? closed;
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
        reader = new RequestReader(requests, limits);
        writer = new ResponseWriter(clock);
        deadline = new Deadline(clock, limits);
    }

    /// <summary>Index of this connection in <see cref="OpenConnections"/>.</summary>
    internal int Slot { get; set; }

    private bool CanParse =>
        !isClosing && !requests.IsHolding && requests.Count < limits.PipelineDepthMax
        && requests.Bytes < limits.PipelineBytesMax && HasRoomForAnswers;

    private bool HasRoomForAnswers => pipes.UnflushedBytes < HttpLimits.UnflushedBytesMax;

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

    /// <inheritdoc/>
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
            pipes.Abort("the node has stopped");
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
        while (requests.First is { IsFinished: true } && HasRoomForAnswers && taken < HttpLimits.StepBytesMax);
        if (reader.WantsContinue && requests.IsEmpty)
        {
            ResponseWriter.WriteContinue(pipes.Output);
            reader.ContinueSent();
            deadline.Clear();
        }
        Flush();
        if (isClosing && requests.IsEmpty && !requests.IsHolding && !pipes.IsFlushing && !pipes.IsGone)
            Finish();
        deadline.Arm(Awaited());
    }

    private void WriteFinished()
    {
        while (requests.First is { IsFinished: true } request && HasRoomForAnswers)
        {
            bool isLast = request.Closes || (front.IsStopping && requests.Count == 1 && !requests.IsHolding);
            writer.Write(pipes.Output, request, isLast);
            requests.Dequeue();
        }
        if (requests.TryRelease(out ClientRequest? next))
            Submit(next);
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
            if (taken < HttpLimits.StepBytesMax)
                continue;
            work.Again();
            return;
        }
    }

    private void Accept(ClientRequest request)
    {
        isClosing |= request.Closes;
        deadline.Clear();
        if (requests.Add(request))
            Submit(request);
    }

    private void Submit(ClientRequest request)
    {
        hasSubmitted = true;
        front.Submit(request);
    }

    /// <summary>Begins no further request, and refuses a request that is partly read.</summary>
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
        pipes.Flush();
        // The step stopped because the output was full; now it has room.
        if (unflushed >= HttpLimits.UnflushedBytesMax && !pipes.IsFlushing)
            work.Again();
    }

    /// <summary>
    /// Ends the connection after its last answer, or lingers first (<see cref="HttpLimits.LingerTimeout"/>).
    /// </summary>
    private void Finish()
    {
        isLingering = reader.HasGivenUp && !hasInputEnded;
        if (isLingering && pipes.TryRead(out ReadResult result))
        {
            pipes.Advance(result.Buffer.End, result.Buffer.End);
            isLingering = !result.IsCompleted;
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
    /// Closes the pipes at once. Returns the connection to its pool once none of its requests is outstanding: until
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
            closed.SetResult();
            closed = null;
        }
        while (requests.First is { IsFinished: true })
            requests.Dequeue();
        if (!requests.IsEmpty)
            return;
        reader.Reset();
        requests.Reset();
        isOpen = false;
        front.Return(this);
    }
}
