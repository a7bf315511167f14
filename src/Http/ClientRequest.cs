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

    private readonly ConnectionMemory memory;

    private byte[] small = [];
    private PooledBuffer large;
    private int length;
    private int keyStart;
    private int keyLength;
    private int matchBytes;
    private int noneMatchBytes;
    private ConditionKinds conditions;
    private bool hasToken;
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
    internal static int BytesMax { get; } = Protocol.Record.LengthOf(Protocol.Record.PayloadBytesMax);

    public IRequestOwner Owner { get; }

    public ClientRequestMethod Method { get; private set; }

    /// <summary>Raw request target of a Put, Get or Delete; else empty.</summary>
    public ReadOnlySpan<byte> Key => Buffer.Slice(keyStart, keyLength);

    /// <summary>
    /// Finished record of a Put or Delete, with a <see cref="KeyCommand"/>, or of a Transaction, at position (0, 0);
    /// else empty.
    /// </summary>
    public Span<byte> Record => IsWrite ? Buffer[..length] : [];

    /// <summary>True if the request changes keys.</summary>
    public bool IsWrite =>
        Method is ClientRequestMethod.Put or ClientRequestMethod.Delete or ClientRequestMethod.Transaction;

    /// <summary>True if the record is of a kind that members of older versions do not know.</summary>
    public bool IsExtended { get; private set; }

    /// <summary>Conditions of a Get. The record of a Put or Delete has that request's conditions.</summary>
    public Conditions Conditions => Method != ClientRequestMethod.Get ? default : new(
        conditions, Buffer.Slice(keyLength, matchBytes), Buffer.Slice(keyLength + matchBytes, noneMatchBytes));

    /// <summary>Milliseconds for which a Get may wait for a change; 0 if it does not.</summary>
    public long WaitMilliseconds => Math.Max(0, WaitSeconds) * 1000L;

    /// <summary>True if the request has an idempotency key.</summary>
    public bool HasIdempotencyKey => hasToken;

    /// <summary>Time until which the request waits. Set and read by the receiver of the request.</summary>
    public long WaitUntil { get; set; }

    /// <summary>
    /// Maximum age, in milliseconds, of the state that answers a Get; MaxValue for any age, -1 for a current answer.
    /// </summary>
    public long StaleMax { get; private set; }

    /// <summary>Seconds for which a Get may wait, repeated in the answer; -1 without the preference.</summary>
    internal int WaitSeconds { get; private set; }

    /// <summary>Index of the key's last write, for the answer's ETag header; 0 for an answer without ETag.</summary>
    internal long Tag { get; private set; }

    /// <summary>Seconds for the answer's Age header; -1 for an answer without Age.</summary>
    internal long Age { get; private set; }

    /// <summary>Answer to a Transaction, beside status and text; else null.</summary>
    public TransactionAnswer? Transaction { get; private set; }

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

    /// <summary>True once the connection has ended, so that no client gets the answer.</summary>
    public bool IsAbandoned => Owner is HttpConnection { HasEnded: true };

    /// <summary>True once the request is answered. A thread that reads true also sees the answer's bytes.</summary>
    public bool IsFinished => Volatile.Read(ref status) != 0;

    internal int Status => status;

    internal ReadOnlySpan<byte> Answer => Buffer[..length];

    /// <summary>Number of bytes of <see cref="Answer"/> that are written.</summary>
    internal int AnswerWritten { get; set; }

    /// <summary>
    /// Reserves memory for an answer. Returns false if there is no room. The caller then waits until clients have taken
    /// other answers.
    /// </summary>
    public bool TryHoldAnswer(int bytes) => TryHold(bytes);

    /// <summary>
    /// Reserves the buffer for the whole request or the whole answer. A part of the buffer may be reserved already.
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

    /// <summary>Passes the reservation to the caller. The caller releases the reservation.</summary>
    internal int TakeHeld()
    {
        int bytes = heldBytes;
        heldBytes = 0;
        return bytes;
    }

    /// <summary>Answers 204.</summary>
    /// <param name="tag">Index of the key's last write; 0 if there is none.</param>
    public void CompleteNoContent(long tag = 0)
    {
        Tag = tag;
        Complete(204, []);
    }

    /// <summary>Answers 200 with a copy of <paramref name="value"/>.</summary>
    /// <param name="tag">Index of the key's last write.</param>
    /// <param name="age">Maximum age of the state in seconds; -1 for an answer without Age.</param>
    public void CompleteValue(ReadOnlySpan<byte> value, long tag = 0, long age = -1)
    {
        (Tag, Age) = (tag, age);
        Complete(200, value);
    }

    /// <summary>Answers a Get with 304: the client has the key's value.</summary>
    /// <inheritdoc cref="CompleteValue"/>
    public void CompleteNotModified(long tag, long age = -1)
    {
        (Tag, Age) = (tag, age);
        Complete(304, []);
    }

    /// <summary>Answers a Get with 404.</summary>
    /// <inheritdoc cref="CompleteValue"/>
    public void CompleteNotFound(long age = -1)
    {
        Age = age;
        Complete(404, "Failed to GET\n"u8);
    }

    /// <param name="status">400, 409, 412, 413, 422, 503 (sent with Retry-After), 504 or 507.</param>
    /// <param name="body">One line with its line end that says what happened and what to do; copied.</param>
    /// <param name="tag">Index of the key's last write, for a 412 to a key that exists; else 0.</param>
    /// <param name="age">Maximum age of the state in seconds; -1 for an answer without Age.</param>
    public void CompleteError(int status, ReadOnlySpan<byte> body, long tag = 0, long age = -1)
    {
        Invariant.Hold(status is 400 or 409 or 412 or 413 or 422 or 503 or 504 or 507);
        (Tag, Age) = (tag, age);
        Complete(status, body);
    }

    internal void Refuse(Refusal refusal) => Complete(refusal.Status, refusal.Body);

    /// <summary>Empties the request. Until a method below sets its kind, the request drops its body.</summary>
    internal void Begin()
    {
        Method = ClientRequestMethod.Get;
        MemberId = 0;
        length = keyStart = keyLength = matchBytes = noneMatchBytes = 0;
        conditions = ConditionKinds.None;
        IsExtended = hasToken = false;
        WaitUntil = 0;
        StaleMax = Age = -1;
        WaitSeconds = -1;
        Tag = 0;
        status = 0;
        Closes = false;
        AnnouncesKeepAlive = false;
        OmitsBody = false;
        IsSubmitted = false;
        HasHead = false;
        AnswerWritten = 0;
    }

    /// <summary>Bytes of the record of a Put or Delete.</summary>
    internal static int BytesOfCommand(int keyBytes, int valueBytes, in KeyFields fields) =>
        Protocol.Record.LengthOf(HeadBytesOf(fields) + keyBytes + valueBytes);

    /// <param name="key">Target of the request.</param>
    /// <param name="valueBytesMax">Maximum bytes that the body will have.</param>
    internal void BeginPut(ReadOnlySpan<byte> key, int valueBytesMax, in KeyFields fields = default)
    {
        Method = ClientRequestMethod.Put;
        BeginCommand(CommandOperation.Put, key, valueBytesMax, fields);
    }

    internal void BeginDelete(ReadOnlySpan<byte> key, in KeyFields fields)
    {
        Method = ClientRequestMethod.Delete;
        BeginCommand(CommandOperation.Delete, key, 0, fields);
    }

    /// <summary>
    /// Makes the request a complete transaction. The buffer is not rented, because the request is never recycled.
    /// </summary>
    /// <param name="payload">Payload with a <see cref="TransactionCommand"/>, complete.</param>
    internal void BeginTransaction(ReadOnlySpan<byte> payload, TransactionAnswer answer, bool hasToken)
    {
        Method = ClientRequestMethod.Transaction;
        IsExtended = true;
        Transaction = answer;
        this.hasToken = hasToken;
        length = Protocol.Record.LengthOf(payload.Length);
        small = new byte[length];
        payload.CopyTo(Buffer[Protocol.Record.HeaderSize..]);
        Protocol.Record.Finish(Record, RecordType.Command, payload.Length);
    }

    /// <param name="waitMax">Maximum seconds to wait for a change.</param>
    internal void BeginGet(ReadOnlySpan<byte> key, in KeyFields fields = default, int waitMax = 0)
    {
        Method = ClientRequestMethod.Get;
        Conditions given = fields.Conditions;
        keyLength = key.Length;
        matchBytes = given.MatchTags.Length;
        noneMatchBytes = given.NoneMatchTags.Length;
        conditions = given.Kinds;
        int bytes = keyLength + matchBytes + noneMatchBytes;
        Reserve(bytes);
        length = bytes;
        key.CopyTo(Buffer);
        given.MatchTags.CopyTo(Buffer[keyLength..]);
        given.NoneMatchTags.CopyTo(Buffer[(keyLength + matchBytes)..]);
        WaitSeconds = fields.WaitSeconds is { } wait ? (int)Math.Min(wait, waitMax) : -1;
        StaleMax = fields.StaleSecondsMax switch
        {
            null => -1,
            long.MaxValue => long.MaxValue,
            { } seconds => seconds * 1000,
        };
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

    /// <summary>Completes the body: the record of a Put or Delete is finished.</summary>
    internal void EndBody()
    {
        if (!IsWrite)
            return;
        int payloadLength = length - Protocol.Record.HeaderSize;
        length = Protocol.Record.LengthOf(payloadLength);
        if (hasToken)
            KeyCommand.SetFingerprint(Record.Slice(Protocol.Record.HeaderSize, payloadLength));
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

    private static int HeadBytesOf(in KeyFields fields) => IsPlain(fields)
        ? PutCommand.HeaderSize
        : KeyCommand.HeaderSize + fields.Conditions.MatchTags.Length + fields.Conditions.NoneMatchTags.Length
            + fields.Token.Length;

    /// <summary>True if a PUT with these headers is a <see cref="PutCommand"/>.</summary>
    private static bool IsPlain(in KeyFields fields) =>
        fields.Conditions.IsEmpty && fields.Token.IsEmpty && fields.TimeToLiveSeconds == 0;

    private void BeginCommand(
        CommandOperation operation, ReadOnlySpan<byte> key, int valueBytesMax, in KeyFields fields)
    {
        Reserve(BytesOfCommand(key.Length, valueBytesMax, fields));
        Span<byte> payload = Buffer[Protocol.Record.HeaderSize..];
        IsExtended = !IsPlain(fields);
        hasToken = !fields.Token.IsEmpty;
        int head = IsExtended
            ? KeyCommand.WriteHead(
                payload, operation, fields.Conditions, fields.Token, key, fields.TimeToLiveSeconds * 1000)
            : PutCommand.WriteKey(payload, key);
        length = Protocol.Record.HeaderSize + head;
        keyLength = key.Length;
        keyStart = length - keyLength;
    }

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
        length = keyStart = keyLength = 0;
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

/// <summary>
/// Operation that a client asks for: PUT, GET or HEAD, POST, DELETE of a member, DELETE of a key, and a transaction of
/// the API, in that order.
/// </summary>
public enum ClientRequestMethod : byte
{
    Put,
    Get,
    AddMember,
    RemoveMember,
    Delete,
    Transaction,
}
