using System.Diagnostics.CodeAnalysis;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// A connection's requests in the order of their arrival. This class decides the order of answers and of effects:
/// <list type="bullet">
/// <item>Answers are written in the order of requests: only <see cref="First"/> is answered and dequeued, once it is
/// finished. A refused request is queued like any other, already finished.</item>
/// <item>Effects also happen in that order (RFC 9112 §9.3.2), although the node may finish a GET before an earlier PUT.
/// Therefore only requests of one method are outstanding at a time. A request of another method is held until all
/// requests before it are answered, and parsing pauses while a request is held. So a GET after a PUT sees its value,
/// and pipelined PUTs still share a batch.</item>
/// </list>
/// The queue also owns the connection's free requests.
/// </summary>
internal sealed class RequestQueue(HttpConnection connection)
{
    private ClientRequest? free;
    private ClientRequest? last;
    private ClientRequest? held;
    private ClientRequestMethod submittedMethod;

    /// <summary>The request that is answered next, or null.</summary>
    public ClientRequest? First { get; private set; }

    /// <summary>True while no request is queued. A held request is not queued.</summary>
    public bool IsEmpty => First is null;

    /// <summary>True while a request waits to be submitted.</summary>
    public bool IsHolding => held is not null;

    public int Count { get; private set; }

    /// <summary>Bytes of the queued requests, see <see cref="HttpLimits.PipelineBytesMax"/>.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// Queues a request, or holds it. Returns true if the caller has to submit the request now, and false if the
    /// request is finished or held.
    /// </summary>
    public bool Add(ClientRequest request)
    {
        Invariant.Hold(held is null);
        if (request.IsFinished)
        {
            Enqueue(request);
            return false;
        }
        if (!IsEmpty && request.Method != submittedMethod)
        {
            held = request;
            return false;
        }
        submittedMethod = request.Method;
        Enqueue(request);
        return true;
    }

    /// <summary>
    /// Queues the held request if all requests before it are answered. Returns true if the caller has to submit the
    /// request now, and false if none is held or some are unanswered.
    /// </summary>
    public bool TryRelease([NotNullWhen(true)] out ClientRequest? request)
    {
        request = null;
        if (held is null || !IsEmpty)
            return false;
        request = held;
        held = null;
        return Add(request);
    }

    /// <summary>Removes the first request, after its answer is written.</summary>
    public void Dequeue()
    {
        Invariant.Hold(First is not null);
        ClientRequest request = First;
        First = request.Next;
        if (First is null)
            last = null;
        request.Next = null;
        Count--;
        Bytes -= request.QueuedBytes;
        Return(request);
    }

    /// <summary>Takes a free request for the next one that is parsed.</summary>
    public ClientRequest Rent()
    {
        ClientRequest request = free ?? new ClientRequest(connection);
        free = request.Next;
        request.Next = null;
        request.Begin();
        return request;
    }

    public void Return(ClientRequest request)
    {
        Invariant.Hold(request.Next is null);
        request.Recycle();
        request.Next = free;
        free = request;
    }

    /// <summary>Drops the held request, and keeps one free request without its buffer.</summary>
    public void Reset()
    {
        Invariant.Hold(IsEmpty);
        if (held is not null)
            Return(held);
        held = null;
        free?.DropBuffer();
        for (ClientRequest? request = free?.Next; request is not null; request = request.Next)
            request.DropBuffer();
        if (free is not null)
            free.Next = null;
    }

    private void Enqueue(ClientRequest request)
    {
        if (last is null)
            First = request;
        else
            last.Next = request;
        last = request;
        Count++;
        request.QueuedBytes = request.Bytes;
        Bytes += request.QueuedBytes;
    }
}
