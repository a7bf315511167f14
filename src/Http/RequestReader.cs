using System.Buffers;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Turns a connection's bytes into requests, one at a time. A refused request is returned like any other, but finished.
/// If the end of a refused request cannot be found, the request <see cref="ClientRequest.Closes"/> the connection, and
/// no request follows.
/// </summary>
internal sealed class RequestReader(RequestQueue requests, HttpLimits limits, AccessPolicy access)
{
    private readonly int headBytesMax = RequestHead.LineBytesMax + 2 + limits.HeadersBytesMax + 2;

    private ClientRequest? current;
    private Refusal? currentRefusal;
    private BodyReader body;

    /// <summary>True while a request's headers are complete and its body is not.</summary>
    public bool IsInBody => current is not null;

    /// <summary>Bytes of the present body that have come.</summary>
    public long BodyBytes { get; private set; }

    /// <summary>
    /// True while the client waits for <c>100 Continue</c> before it sends the body (RFC 9110 §10.1.1).
    /// </summary>
    public bool WantsContinue { get; private set; }

    /// <summary>
    /// True if a request is not begun because the memory for requests is used up. The next call tries again.
    /// </summary>
    public bool LacksRoom { get; private set; }

    /// <summary>True once a request was given up before its end: later bytes have no meaning.</summary>
    public bool HasGivenUp { get; private set; }

    /// <param name="input">Bytes that have arrived; the used bytes are removed.</param>
    /// <returns>A request with its whole body, or a finished one; null if more bytes are needed.</returns>
    public ClientRequest? TryRead(ref ReadOnlySequence<byte> input)
    {
        Invariant.Hold(!HasGivenUp);
        if (current is null)
        {
            SkipEmptyLines(ref input);
            if (input.IsEmpty || (input.Length == 1 && input.FirstSpan[0] == '\r'))
                return null;
            ClientRequest? refused = ReadHead(ref input);
            if (refused is not null || current is null)
                return refused;
        }
        return ReadBody(ref input, current);
    }

    /// <summary>Gives up the request whose head or body is being read.</summary>
    public ClientRequest GiveUp(Refusal refusal)
    {
        ClientRequest request = current ?? requests.Rent();
        current = null;
        LacksRoom = false;
        WantsContinue = false;
        HasGivenUp = true;
        request.Refuse(refusal);
        request.Closes = true;
        return request;
    }

    public void ContinueSent() => WantsContinue = false;

    /// <summary>Prepares the reader for another connection.</summary>
    public void Reset()
    {
        if (current is not null)
            requests.Return(current);
        current = null;
        WantsContinue = false;
        LacksRoom = false;
        HasGivenUp = false;
    }

    /// <summary>Skips empty lines before a request (RFC 9112 §2.2).</summary>
    private static void SkipEmptyLines(ref ReadOnlySequence<byte> input)
    {
        SequenceReader<byte> reader = new(input);
        while (reader.IsNext("\r\n"u8, advancePast: true))
        {
        }
        input = input.Slice(reader.Position);
    }

    private ClientRequest? ReadHead(ref ReadOnlySequence<byte> input)
    {
        ReadOnlySequence<byte> window = input.Slice(0, Math.Min(input.Length, headBytesMax));
        if (window.IsSingleSegment)
            return ReadHead(window.FirstSpan, ref input);
        int length = (int)window.Length;
        byte[] contiguous = ArrayPool<byte>.Shared.Rent(length);
        window.CopyTo(contiguous);
        ClientRequest? refused = ReadHead(contiguous.AsSpan(0, length), ref input);
        ArrayPool<byte>.Shared.Return(contiguous);
        return refused;
    }

    private ClientRequest? ReadHead(ReadOnlySpan<byte> source, ref ReadOnlySequence<byte> input)
    {
        DecodeStatus status =
            RequestHead.TryParse(source, limits.HeadersBytesMax, out RequestHead head, out Refusal? refusal);
        if (status == DecodeStatus.Incomplete)
            return null;
        ClientRequest request = requests.Rent();
        request.OmitsBody = head.Method == RequestMethod.Head;
        if (refusal is not null)
        {
            current = request;
            return GiveUp(refusal);
        }
        currentRefusal = access.Judge(head);
        KeyFields fields = default;
        if (head.Fields.HasKeyFields)
            currentRefusal ??= head.ParseKeyFields(ref fields);
        LacksRoom = currentRefusal is null && !request.TryHold(BytesOf(head, fields));
        if (LacksRoom)
        {
            requests.Return(request);
            return null;
        }
        current = request;
        request.Closes = !head.Fields.KeepsAlive;
        request.AnnouncesKeepAlive = head.Fields.IsVersion10 && head.Fields.KeepsAlive;
        currentRefusal ??= Begin(request, head, fields);
        // The client now decides whether it sends the body, so the next request cannot be found.
        if (currentRefusal is not null && head.Fields.ExpectsContinue)
            return GiveUp(currentRefusal);
        WantsContinue = head.Fields.ExpectsContinue;
        body = new BodyReader(head.Fields, limits.HeadersBytesMax);
        BodyBytes = 0;
        input = input.Slice(head.Length);
        return null;
    }

    private Refusal? Begin(ClientRequest request, in RequestHead head, in KeyFields fields)
    {
        ulong memberId;
        switch (head.Method)
        {
            case RequestMethod.Put:
                request.BeginPut(head.Target, BodyBytesMax(head.Fields), fields);
                return null;
            case RequestMethod.Get or RequestMethod.Head:
                request.BeginGet(head.Target, fields, limits.WaitMax);
                return null;
            case RequestMethod.Delete when fields.HasMatch:
                request.BeginDelete(head.Target, fields);
                return null;
            case RequestMethod.Post when MemberIdParser.TryParse(head.Target, out memberId):
                request.BeginMember(ClientRequestMethod.AddMember, memberId);
                return null;
            case RequestMethod.Delete when MemberIdParser.TryParse(head.Target, out memberId):
                request.BeginMember(ClientRequestMethod.RemoveMember, memberId);
                return null;
            case RequestMethod.Post:
                return Refusal.PostTarget;
            case RequestMethod.Delete:
                return Refusal.DeleteTarget;
            default:
                return Refusal.Method;
        }
    }

    /// <summary>Bytes of the request with its body.</summary>
    private static int BytesOf(in RequestHead head, in KeyFields fields) => head.Method switch
    {
        RequestMethod.Put => ClientRequest.BytesOfCommand(head.Target.Length, BodyBytesMax(head.Fields), fields),
        RequestMethod.Delete when fields.HasMatch => ClientRequest.BytesOfCommand(head.Target.Length, 0, fields),
        RequestMethod.Post => BodyBytesMax(head.Fields),
        _ => head.Target.Length + (head.Fields.HasKeyFields ? KeyCommand.HeadBytesMax : 0),
    };

    /// <summary>Bytes of the body; for a chunked body, the maximum.</summary>
    private static int BodyBytesMax(in RequestFields fields) =>
        fields.IsChunked ? PutCommand.ValueBytesMax : (int)fields.ContentLength;

    private ClientRequest? ReadBody(ref ReadOnlySequence<byte> input, ClientRequest request)
    {
        WantsContinue &= input.IsEmpty;
        long before = input.Length;
        DecodeStatus status = body.Read(ref input, request, out Refusal? refusal);
        BodyBytes += before - input.Length;
        if (status == DecodeStatus.Incomplete)
            return null;
        if (status == DecodeStatus.Invalid)
            return GiveUp(refusal!);
        current = null;
        if (currentRefusal is null)
            request.EndBody();
        else
            request.Refuse(currentRefusal);
        return request;
    }
}
