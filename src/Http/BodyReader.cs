using System.Buffers;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>Reads one body into its request, by its length or by its chunks.</summary>
internal struct BodyReader
{
    private readonly bool isChunked;
    private long lengthLeft;
    private ChunkedBody chunks;

    public BodyReader(in RequestFields fields, int overheadBytesMax)
    {
        isChunked = fields.IsChunked;
        lengthLeft = fields.ContentLength;
        chunks = new ChunkedBody(overheadBytesMax);
    }

    /// <summary>Moves the body's bytes from <paramref name="input"/> to <paramref name="request"/>.</summary>
    public DecodeStatus Read(ref ReadOnlySequence<byte> input, ClientRequest request, out Refusal? refusal)
    {
        refusal = null;
        DecodeStatus status = !isChunked && lengthLeft == 0 ? DecodeStatus.Complete : DecodeStatus.Incomplete;
        while (status == DecodeStatus.Incomplete && !input.IsEmpty)
        {
            ReadOnlySpan<byte> source = input.FirstSpan;
            int consumed;
            if (isChunked)
            {
                status = chunks.Read(source, request, out consumed, out refusal);
            }
            else
            {
                consumed = (int)Math.Min(lengthLeft, source.Length);
                request.AppendBody(source[..consumed]);
                lengthLeft -= consumed;
                status = lengthLeft == 0 ? DecodeStatus.Complete : DecodeStatus.Incomplete;
            }
            input = input.Slice(consumed);
        }
        return status;
    }
}
