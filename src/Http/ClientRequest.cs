using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// One request, from parsing to answer. A request belongs to its connection, which reuses the request. The receiver of
/// a submitted request calls one Complete method, once, from one thread, and then <see cref="IRequestOwner.Resume"/>.
/// Until then no other thread may touch the request.
/// </summary>
public sealed class ClientRequest
{
    /// <summary>Bytes of a small buffer, which the request keeps. A larger buffer comes from a pool.</summary>
    private const int SmallBufferBytes = ClientMemory.FreeBytes + 128;

    private const int KeyStartInRecord = Protocol.Record.HeaderSize + PutCommand.HeaderSize;

    private readonly BufferPool buffers;
    private readonly ConnectionMemory? memory;

    /// <summary>The record, key or peer URL; after completion, the answer's body.</summary>
    private byte[] buffer = [];
    private byte[] small = [];
    private int length;
    private int keyLength;
    private int status;
    private int heldBytes;

    /// <summary>Makes a request that no connection parses; its memory is not counted.</summary>
    public ClientRequest(IRequestOwner owner) : this(owner, new BufferPool(), null)
    {
    }

    internal ClientRequest(IRequestOwner owner, BufferPool buffers, ConnectionMemory? memory)
    {
        Owner = owner;
        this.buffers = buffers;
        this.memory = memory;
    }

    public IRequestOwner Owner { get; }

    public ClientRequestMethod Method { get; private set; }

    /// <summary>Raw request target of a Put or Get; else empty.</summary>
    public ReadOnlySpan<byte> Key => Method switch
    {
        ClientRequestMethod.Put => buffer.AsSpan(KeyStartInRecord, keyLength),
        ClientRequestMethod.Get => buffer.AsSpan(0, keyLength),
        _ => [],
    };

    /// <summary>Finished record of a Put, with a <see cref="PutCommand"/>, at position (0, 0); else empty.</summary>
    public Span<byte> Record => Method == ClientRequestMethod.Put ? buffer.AsSpan(0, length) : [];

    /// <summary>Id in the target of an AddMember or RemoveMember.</summary>
    public ulong MemberId { get; private set; }

    /// <summary>Body of an AddMember: the member's URL; else empty.</summary>
    public ReadOnlySpan<byte> Body => Method == ClientRequestMethod.AddMember ? buffer.AsSpan(0, length) : [];

    /// <summary>Next request in the list of the <see cref="RequestQueue"/> that holds this one.</summary>
    internal ClientRequest? Next { get; set; }

    /// <summary>True if the answer to this request is the connection's last.</summary>
    internal bool Closes { get; set; }

    /// <summary>True if an HTTP/1.0 client asked to keep the connection: the answer says that it stays.</summary>
    internal bool AnnouncesKeepAlive { get; set; }

    /// <summary>True for HEAD: the answer is sent without its body.</summary>
    internal bool OmitsBody { get; set; }

    /// <summary>Bytes in the buffer. Not valid between submission and completion.</summary>
    internal int Bytes => length;

    /// <summary>Value of <see cref="Bytes"/> when the request was queued.</summary>
    internal int QueuedBytes { get; set; }

    /// <summary>True once the front has submitted the request.</summary>
    internal bool IsSubmitted { get; set; }

    /// <summary>True once the head of the answer is written.</summary>
    internal bool HasHead { get; set; }

    /// <summary>True once the connection has ended: nobody gets the answer.</summary>
    public bool IsAbandoned => Owner is HttpConnection { HasEnded: true };

    /// <summary>True once the request is answered. A thread that reads true also sees the answer's bytes.</summary>
    internal bool IsFinished => Volatile.Read(ref status) != 0;

    internal int Status => status;

    internal ReadOnlySpan<byte> Answer => buffer.AsSpan(0, length);

    /// <summary>Number of bytes of <see cref="Answer"/> that are written.</summary>
    internal int AnswerWritten { get; set; }

    /// <summary>
    /// Reserves memory for an answer. Without room the caller waits, because the clients have to take other answers
    /// first.
    /// </summary>
    public bool TryHoldAnswer(int bytes) => TryHold(bytes);

    /// <summary>Reserves memory for the whole request or the whole answer, of which part may be reserved.</summary>
    internal bool TryHold(int bytes)
    {
        if (memory is null || bytes <= Math.Max(ClientMemory.FreeBytes, heldBytes))
            return true;
        if (!memory.TryHold(bytes - heldBytes))
            return false;
        heldBytes = bytes;
        return true;
    }

    /// <summary>Bytes reserved for this request or its answer.</summary>
    internal int Held => heldBytes;

    /// <summary>Passes the reservation to the caller, who releases it.</summary>
    internal int TakeHeld()
    {
        int bytes = heldBytes;
        heldBytes = 0;
        return bytes;
    }

    /// <summary>Answers 204.</summary>
    public void CompleteNoContent() => Complete(204, []);

    /// <summary>Answers 200 with a copy of <paramref name="value"/>.</summary>
    public void CompleteValue(ReadOnlySpan<byte> value) => Complete(200, value);

    /// <summary>Answers a Get with 404.</summary>
    public void CompleteNotFound() => Complete(404, "Failed to GET\n"u8);

    /// <param name="status">400, 409, 412, 503 (sent with Retry-After), 504 or 507.</param>
    /// <param name="body">One line with its line end that says what happened and what to do; copied.</param>
    public void CompleteError(int status, ReadOnlySpan<byte> body)
    {
        Invariant.Hold(status is 400 or 409 or 412 or 503 or 504 or 507);
        Complete(status, body);
    }

    internal void Refuse(Refusal refusal) => Complete(refusal.Status, refusal.Body);

    /// <summary>Empties the request. Until a method below sets its kind, the request drops its body.</summary>
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
        IsSubmitted = false;
        HasHead = false;
        AnswerWritten = 0;
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

    /// <summary>Appends a piece of the body, if the request's method has a use for a body.</summary>
    internal void AppendBody(ReadOnlySpan<byte> piece)
    {
        if (Method is not (ClientRequestMethod.Put or ClientRequestMethod.AddMember))
            return;
        Reserve(length + piece.Length);
        piece.CopyTo(buffer.AsSpan(length));
        length += piece.Length;
    }

    /// <summary>Completes the body: the record of a Put is finished.</summary>
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

    /// <summary>Gives back a large buffer and the reservation.</summary>
    internal void Recycle()
    {
        memory?.Release(TakeHeld());
        ReturnLargeBuffer();
    }

    private void ReturnLargeBuffer()
    {
        if (buffer.Length <= SmallBufferBytes)
            return;
        buffers.Return(buffer);
        buffer = small;
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

    /// <summary>Grows the buffer to hold bytes that have arrived, never bytes that are only announced.</summary>
    private void Reserve(int capacity)
    {
        if (capacity <= buffer.Length)
            return;
        if (capacity <= SmallBufferBytes)
        {
            buffer = small = new byte[SmallBufferBytes];
            return;
        }
        byte[] larger = buffers.Rent(capacity);
        buffer.AsSpan(0, length).CopyTo(larger);
        ReturnLargeBuffer();
        buffer = larger;
    }
}

/// <summary>Operation that a client asks for: PUT, GET or HEAD, POST, and DELETE, in that order.</summary>
public enum ClientRequestMethod : byte
{
    Put,
    Get,
    AddMember,
    RemoveMember,
}
