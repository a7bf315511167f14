using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>Requests of a connection: the unanswered ones in order, and the idle ones for reuse.</summary>
internal sealed class RequestQueue(HttpConnection connection, ConnectionMemory memory)
{
    private ClientRequest? free;
    private ClientRequest? last;

    /// <summary>Request whose answer is written next.</summary>
    public ClientRequest? First { get; private set; }

    public bool IsEmpty => First is null;

    public int Count { get; private set; }

    /// <summary>Bytes of the unanswered requests; see <see cref="HttpLimits.PipelineBytesMax"/>.</summary>
    public long Bytes { get; private set; }

    public ClientRequest Rent()
    {
        ClientRequest request = free ?? new ClientRequest(connection, memory);
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

    public void Enqueue(ClientRequest request)
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

    /// <summary>True if <see cref="Trim"/> would drop a request.</summary>
    public bool HasSpare => free?.Next is not null;

    /// <summary>Keeps one idle request.</summary>
    public void Trim()
    {
        Invariant.Hold(IsEmpty);
        if (free is not null)
            free.Next = null;
    }
}
