using System.Buffers;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// One request, from parse to answer; owned by its connection and reused. Whoever it was submitted to calls one Complete
/// method, once, from one thread, then <see cref="IRequestOwner.Resume"/>; until then nobody else touches it.
/// </summary>
public sealed class ClientRequest
{
    /// <summary>A longer buffer goes back to the pool with its request's end: so much is kept for each request, on each connection.</summary>
    private const int RetainedBytesMax = 16 * 1024;

    private const int KeyStartInRecord = Protocol.Record.HeaderSize + PutCommand.HeaderSize;

    /// <summary>The record, key or peer URL; from completion on, the answer's body.</summary>
    private byte[] buffer = [];
    private int length;
    private int keyLength;
    private int status;

    public ClientRequest(IRequestOwner owner) => Owner = owner;

    public IRequestOwner Owner { get; }

    public ClientRequestMethod Method { get; private set; }

    /// <summary>Of a Put or Get: the raw request target.</summary>
    public ReadOnlySpan<byte> Key => Method switch
    {
        ClientRequestMethod.Put => buffer.AsSpan(KeyStartInRecord, keyLength),
        ClientRequestMethod.Get => buffer.AsSpan(0, keyLength),
        _ => [],
    };

    /// <summary>Of a Put: a sealed record with a <see cref="PutCommand"/>, at position (0, 0).</summary>
    public Span<byte> Record => Method == ClientRequestMethod.Put ? buffer.AsSpan(0, length) : [];

    /// <summary>Of an AddMember or RemoveMember.</summary>
    public ulong MemberId { get; private set; }

    /// <summary>Of an AddMember: the member's URL.</summary>
    public ReadOnlySpan<byte> Body => Method == ClientRequestMethod.AddMember ? buffer.AsSpan(0, length) : [];

    /// <summary>The next in the one <see cref="RequestQueue"/> list that this is in.</summary>
    internal ClientRequest? Next { get; set; }

    /// <summary>The answer to this one is the connection's last.</summary>
    internal bool Closes { get; set; }

    /// <summary>HTTP/1.0 asked for a connection that stays: it is told so.</summary>
    internal bool AnnouncesKeepAlive { get; set; }

    /// <summary>HEAD: the answer's headers without its body.</summary>
    internal bool OmitsBody { get; set; }

    /// <summary>Bytes in the buffer. Not to be read between submission and completion.</summary>
    internal int Bytes => length;

    /// <summary>Bytes as they were when the request was queued.</summary>
    internal int QueuedBytes { get; set; }

    /// <summary>Orders the answer's bytes before itself: whoever reads true may read them.</summary>
    internal bool IsFinished => Volatile.Read(ref status) != 0;

    internal int Status => status;

    internal ReadOnlySpan<byte> Answer => buffer.AsSpan(0, length);

    /// <summary>204.</summary>
    public void CompleteNoContent() => Complete(204, []);

    /// <summary>200, with a copy of <paramref name="value"/>.</summary>
    public void CompleteValue(ReadOnlySpan<byte> value) => Complete(200, value);

    /// <summary>404 to a Get.</summary>
    public void CompleteNotFound() => Complete(404, "Failed to GET\n"u8);

    /// <param name="status">400, 409, 412, 503 (sent with Retry-After), 504 or 507.</param>
    /// <param name="body">One line, with its line end: what happened and what to do. Copied.</param>
    public void CompleteError(int status, ReadOnlySpan<byte> body)
    {
        Invariant.Hold(status is 400 or 409 or 412 or 503 or 504 or 507);
        Complete(status, body);
    }

    internal void Refuse(Refusal refusal) => Complete(refusal.Status, refusal.Body);

    /// <summary>Makes it a request that keeps nothing of its body, until one of the methods below says more.</summary>
    internal void Begin()
    {
        Method = ClientRequestMethod.Get;
        MemberId = 0;
        length = 0;
        keyLength = 0;
        status = 0;
        Closes = false;
        AnnouncesKeepAlive = false;
        OmitsBody = false;
    }

    internal void BeginPut(ReadOnlySpan<byte> key)
    {
        Method = ClientRequestMethod.Put;
        keyLength = key.Length;
        Reserve(KeyStartInRecord + key.Length);
        PutCommand.WriteKey(buffer.AsSpan(Protocol.Record.HeaderSize), key);
        length = KeyStartInRecord + key.Length;
    }

    internal void BeginGet(ReadOnlySpan<byte> key)
    {
        Method = ClientRequestMethod.Get;
        Reserve(key.Length);
        key.CopyTo(buffer);
        length = keyLength = key.Length;
    }

    internal void BeginMember(ClientRequestMethod method, ulong memberId)
    {
        Method = method;
        MemberId = memberId;
    }

    /// <summary>Takes a piece of the body, if this request has a use for one.</summary>
    internal void AppendBody(ReadOnlySpan<byte> piece)
    {
        if (Method is not (ClientRequestMethod.Put or ClientRequestMethod.AddMember))
            return;
        Reserve(length + piece.Length);
        piece.CopyTo(buffer.AsSpan(length));
        length += piece.Length;
    }

    /// <summary>The body is whole.</summary>
    internal void EndBody()
    {
        if (Method != ClientRequestMethod.Put)
            return;
        int payloadLength = length - Protocol.Record.HeaderSize;
        int recordLength = Protocol.Record.LengthOf(payloadLength);
        Reserve(recordLength);
        length = recordLength;
        Protocol.Record.Finish(Record, RecordType.Command, payloadLength);
    }

    internal void Recycle()
    {
        if (buffer.Length > RetainedBytesMax)
            DropBuffer();
    }

    internal void DropBuffer()
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        length = 0;
        keyLength = 0;
    }

    private void Complete(int answerStatus, ReadOnlySpan<byte> body)
    {
        Invariant.Hold(!IsFinished);
        length = 0;
        Reserve(body.Length);
        body.CopyTo(buffer);
        length = body.Length;
        Volatile.Write(ref status, answerStatus);
    }

    /// <summary>Grows with what has arrived, never with what has only been announced.</summary>
    private void Reserve(int capacity)
    {
        if (capacity <= buffer.Length)
            return;
        byte[] larger = ArrayPool<byte>.Shared.Rent(capacity);
        buffer.AsSpan(0, length).CopyTo(larger);
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
