using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// One request, from parsing to answer. A request belongs to its connection, which reuses the request. The receiver of
/// a submitted request calls one Complete method, once, from one thread, and then <see cref="IRequestOwner.Resume"/>.
/// Until then no other thread may touch the request.
/// </summary>
public sealed class ClientRequest
{
    /// <summary>Bytes of a small buffer, which the request keeps. A larger buffer is rented.</summary>
    internal const int SmallBufferBytes = 1152;

    private const int KeyStartInRecord = Protocol.Record.HeaderSize + PutCommand.HeaderSize;

    private readonly ConnectionMemory memory;

    private byte[] small = [];
    private PooledBuffer large;
    private int length;
    private int keyLength;
    private int status;
    private int heldBytes;

    /// <summary>Makes a request that no connection parses; its memory is not counted.</summary>
    public ClientRequest(IRequestOwner owner) : this(owner, ConnectionMemory.Unlimited)
    {
    }

    internal ClientRequest(IRequestOwner owner, ConnectionMemory memory)
    {
        Owner = owner;
        this.memory = memory;
    }

    /// <summary>Maximum bytes of a request, and of an answer.</summary>
    internal static int BytesMax { get; } = BytesOfPut(PutCommand.KeyBytesMax, PutCommand.ValueBytesMax);

    public IRequestOwner Owner { get; }

    public ClientRequestMethod Method { get; private set; }

    /// <summary>Raw request target of a Put or Get; else empty.</summary>
    public ReadOnlySpan<byte> Key => Method switch
    {
        ClientRequestMethod.Put => Buffer.Slice(KeyStartInRecord, keyLength),
        ClientRequestMethod.Get => Buffer[..keyLength],
        _ => [],
    };

    /// <summary>Finished record of a Put, with a <see cref="PutCommand"/>, at position (0, 0); else empty.</summary>
    public Span<byte> Record => Method == ClientRequestMethod.Put ? Buffer[..length] : [];

    /// <summary>Id in the target of an AddMember or RemoveMember.</summary>
    public ulong MemberId { get; private set; }

    /// <summary>Body of an AddMember: the member's URL; else empty.</summary>
    public ReadOnlySpan<byte> Body => Method == ClientRequestMethod.AddMember ? Buffer[..length] : [];

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

    internal ReadOnlySpan<byte> Answer => Buffer[..length];

    /// <summary>Number of bytes of <see cref="Answer"/> that are written.</summary>
    internal int AnswerWritten { get; set; }

    /// <summary>
    /// Reserves memory for an answer. Without room the caller waits, because the clients have to take other answers
    /// first.
    /// </summary>
    public bool TryHoldAnswer(int bytes) => TryHold(bytes);

    /// <summary>
    /// Reserves the buffer for the whole request or the whole answer, of which a part may be reserved.
    /// </summary>
    internal bool TryHold(int bytes)
    {
        if (bytes <= Math.Max(SmallBufferBytes, heldBytes))
            return true;
        int size = BufferPool.SizeFor(bytes);
        if (!memory.TryHold(size - heldBytes))
            return false;
        heldBytes = size;
        return true;
    }

    /// <summary>Bytes of the buffer that is reserved for this request or its answer.</summary>
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

    /// <summary>Bytes of the record of a Put.</summary>
    internal static int BytesOfPut(int keyBytes, int valueBytes) =>
        Protocol.Record.LengthOf(PutCommand.HeaderSize + keyBytes + valueBytes);

    /// <param name="key">Target of the request.</param>
    /// <param name="valueBytesMax">Maximum bytes that the body will have.</param>
    internal void BeginPut(ReadOnlySpan<byte> key, int valueBytesMax)
    {
        Method = ClientRequestMethod.Put;
        keyLength = key.Length;
        Reserve(BytesOfPut(key.Length, valueBytesMax));
        PutCommand.WriteKey(Buffer[Protocol.Record.HeaderSize..], key);
        length = KeyStartInRecord + key.Length;
    }

    internal void BeginGet(ReadOnlySpan<byte> key)
    {
        Method = ClientRequestMethod.Get;
        Reserve(key.Length);
        key.CopyTo(Buffer);
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
        piece.CopyTo(Buffer[length..]);
        length += piece.Length;
    }

    /// <summary>Completes the body: the record of a Put is finished.</summary>
    internal void EndBody()
    {
        if (Method != ClientRequestMethod.Put)
            return;
        int payloadLength = length - Protocol.Record.HeaderSize;
        length = Protocol.Record.LengthOf(payloadLength);
        Protocol.Record.Finish(Record, RecordType.Command, payloadLength);
    }

    /// <summary>Gives back a large buffer and the reservation.</summary>
    internal void Recycle()
    {
        memory.Release(TakeHeld());
        ReturnLargeBuffer();
    }

    /// <summary>The record, key or peer URL; after completion, the answer's body.</summary>
    private Span<byte> Buffer => large.Length > 0 ? large.Span : small;

    private void ReturnLargeBuffer()
    {
        if (large.Length == 0)
            return;
        memory.Return(large);
        large = default;
    }

    private void Complete(int answerStatus, ReadOnlySpan<byte> body)
    {
        Invariant.Hold(!IsFinished);
        length = 0;
        Reserve(body.Length);
        body.CopyTo(Buffer);
        length = body.Length;
        Volatile.Write(ref status, answerStatus);
    }

    /// <summary>Grows the buffer, and keeps the bytes in it.</summary>
    private void Reserve(int capacity)
    {
        if (capacity <= Buffer.Length)
            return;
        if (capacity <= SmallBufferBytes)
        {
            small = new byte[SmallBufferBytes];
            return;
        }
        PooledBuffer larger = memory.Rent(capacity);
        Buffer[..length].CopyTo(larger.Span);
        ReturnLargeBuffer();
        large = larger;
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
