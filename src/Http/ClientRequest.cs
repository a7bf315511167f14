using System.Buffers;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>Method of a request: PUT, GET, POST and DELETE, in that order.</summary>
public enum ClientRequestMethod : byte
{
    Put,
    Get,
    AddMember,
    RemoveMember,
}

/// <summary>
/// A client's request, from parsing to its answer. Its connection owns and reuses it. The receiver of a submitted
/// request calls one Complete method, once, on one thread, and then <see cref="IRequestOwner.Resume"/>. From submission
/// to completion only the receiver uses the request.
/// </summary>
public sealed class ClientRequest
{
    private const int KeyStartInRecord = Protocol.Record.HeaderSize + PutCommand.HeaderSize;

    /// <summary>The record, key or member URL; after completion, the answer's body.</summary>
    private byte[] buffer = [];
    private int length;
    private int keyLength;
    private int status;

    public ClientRequest(IRequestOwner owner) => Owner = owner;

    public IRequestOwner Owner { get; }

    public ClientRequestMethod Method { get; private set; }

    /// <summary>The raw request target of a Put or Get; empty for other methods.</summary>
    public ReadOnlySpan<byte> Key => Method switch
    {
        ClientRequestMethod.Put => buffer.AsSpan(KeyStartInRecord, keyLength),
        ClientRequestMethod.Get => buffer.AsSpan(0, keyLength),
        _ => [],
    };

    /// <summary>
    /// A Put's finished record with its <see cref="PutCommand"/>, at position (0, 0); empty for other methods.
    /// </summary>
    public Span<byte> Record => Method == ClientRequestMethod.Put ? buffer.AsSpan(0, length) : [];

    /// <summary>The member that an AddMember or RemoveMember names.</summary>
    public ulong MemberId { get; private set; }

    /// <summary>The member's URL in an AddMember; empty for other methods.</summary>
    public ReadOnlySpan<byte> Body => Method == ClientRequestMethod.AddMember ? buffer.AsSpan(0, length) : [];

    /// <summary>The next request in the same list of <see cref="RequestQueue"/>.</summary>
    internal ClientRequest? Next { get; set; }

    /// <summary>True if this request's answer is the connection's last.</summary>
    internal bool Closes { get; set; }

    /// <summary>True if the answer says keep-alive, because an HTTP/1.0 client asked for it.</summary>
    internal bool AnnouncesKeepAlive { get; set; }

    /// <summary>True if the answer has no body, only its headers: for HEAD.</summary>
    internal bool OmitsBody { get; set; }

    /// <summary>Bytes in the buffer. The connection doesn't read this between submission and completion.</summary>
    internal int Bytes => length;

    /// <summary>Value of <see cref="Bytes"/> when the request was queued.</summary>
    internal int QueuedBytes { get; set; }

    /// <summary>
    /// True after completion. A thread that reads true may read the answer: its bytes were written before the flag.
    /// </summary>
    internal bool IsFinished => Volatile.Read(ref status) != 0;

    internal int Status => status;

    internal ReadOnlySpan<byte> Answer => buffer.AsSpan(0, length);

    /// <summary>Answers 204.</summary>
    public void CompleteNoContent() => Complete(204, []);

    /// <summary>Answers 200, with a copy of <paramref name="value"/>.</summary>
    public void CompleteValue(ReadOnlySpan<byte> value) => Complete(200, value);

    /// <summary>Answers a Get with 404.</summary>
    public void CompleteNotFound() => Complete(404, "Failed to GET\n"u8);

    /// <param name="status">400, 409, 412, 503 (sent with Retry-After), 504 or 507.</param>
    /// <param name="body">
    /// One line with its line end, which says what happened and what to do. The body is copied.
    /// </param>
    public void CompleteError(int status, ReadOnlySpan<byte> body)
    {
        Invariant.Hold(status is 400 or 409 or 412 or 503 or 504 or 507);
        Complete(status, body);
    }

    internal void Refuse(Refusal refusal) => Complete(refusal.Status, refusal.Body);

    /// <summary>Clears the request. It drops its body until BeginPut or BeginMember is called.</summary>
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

    /// <summary>Appends a piece of the body. Only a Put and an AddMember keep their body.</summary>
    internal void AppendBody(ReadOnlySpan<byte> piece)
    {
        if (Method is not (ClientRequestMethod.Put or ClientRequestMethod.AddMember))
            return;
        Reserve(length + piece.Length);
        piece.CopyTo(buffer.AsSpan(length));
        length += piece.Length;
    }

    /// <summary>Finishes a Put's record, once the body is complete.</summary>
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
        if (buffer.Length > HttpLimits.RetainedBytesMax)
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

    /// <summary>Grows the buffer. It grows with the bytes that arrived, never with an announced length.</summary>
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
