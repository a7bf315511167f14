using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace RaftFast.Server.Api;

/// <summary>
/// Reads the bodies of <c>POST /v1/txn</c>. Bounds the memory of all transactions, from the first byte of the body to
/// the last byte of the answer.
/// </summary>
internal sealed class TransactionBodies
{
    /// <summary>A transaction whose keys are all percent-encoded, with the names around them.</summary>
    public const int BytesMax = 4 * 1024 * 1024;

    /// <summary>
    /// Maximum bytes of bodies and answers at which a body may grow: eight of the largest bodies. Answers are not
    /// refused; at most <see cref="Transactions.OutstandingMax"/> of them come after the maximum is reached.
    /// </summary>
    public const long AllBytesMax = 8L * BytesMax;

    /// <summary>
    /// Maximum tokens of a body: more than the names and values of all parts have. A larger number of small objects
    /// would take more memory than the body.
    /// </summary>
    private const int TokensMax = 8192;

    private const int FirstBytes = 4096;

    /// <summary>Time for a client to send the body.</summary>
    private static readonly TimeSpan ReadMax = TimeSpan.FromSeconds(10);

    private long allBytes;

    /// <summary>Bytes of the bodies and answers in memory.</summary>
    public long Bytes => Volatile.Read(ref allBytes);

    /// <exception cref="TransactionException">The body is no transaction, too large, or too slow.</exception>
    public async Task<TransactionBody> ReadAsync(ApiExchange exchange)
    {
        if (exchange.ContentLength > BytesMax)
            throw TooLarge();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(exchange.Aborted);
        stop.CancelAfter(ReadMax);
        byte[] body = [];
        int length = 0;
        bool isRead = false;
        try
        {
            // Kestrel counts the framing of chunks, too.
            Stream source = exchange.RequestBody(2 * BytesMax);
            while (true)
            {
                if (length == body.Length)
                    Grow(ref body);
                int read = await source.ReadAsync(body.AsMemory(length), stop.Token);
                length += read;
                if (read > 0)
                    continue;
                TransactionJson json = Parse(body.AsSpan(0, length));
                isRead = true;
                return new TransactionBody(this, json, body.Length);
            }
        }
        catch (OperationCanceledException) when (!exchange.Aborted.IsCancellationRequested)
        {
            throw new TransactionException(
                408,
                $"The body was not complete within {ReadMax.TotalSeconds} s: nothing has changed; send it faster.");
        }
        catch (BadHttpRequestException wrong) when (wrong.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge();
        }
        finally
        {
            if (!isRead)
                Hold(-body.Length);
        }
    }

    /// <param name="bytes">Bytes to hold; negative to release them.</param>
    public long Hold(long bytes) => Interlocked.Add(ref allBytes, bytes);

    /// <summary>Doubles the buffer, and counts its bytes.</summary>
    private void Grow(ref byte[] body)
    {
        if (body.Length > BytesMax)
            throw TooLarge();
        int larger = Math.Max(FirstBytes, 2 * body.Length);
        if (Hold(larger - body.Length) > AllBytesMax)
        {
            Hold(body.Length - larger);
            throw new TransactionException(
                503, "Large transactions fill this member's memory: nothing has changed; try again.");
        }
        Array.Resize(ref body, larger);
    }

    private static TransactionException TooLarge() =>
        new(413, $"The body has more than {BytesMax} bytes: send several transactions.");

    private static TransactionJson Parse(ReadOnlySpan<byte> body)
    {
        if (body.Length > BytesMax)
            throw TooLarge();
        try
        {
            Utf8JsonReader scan = new(body);
            for (int tokens = 0; scan.Read(); tokens++)
            {
                if (tokens > TokensMax)
                    throw new TransactionException(400, "The body has too many parts: a transaction has at most 128 "
                        + "conditions and 128 operations.");
            }
            return JsonSerializer.Deserialize(body, ApiRequestJson.Default.TransactionJson)
                ?? throw new TransactionException(
                    400, "The body is null; it must be a transaction, as the README shows.");
        }
        catch (JsonException wrong)
        {
            throw new TransactionException(400, Explain(wrong));
        }
    }

    private static string Explain(JsonException wrong)
    {
        string path = string.IsNullOrEmpty(wrong.Path) ? "" : $" at {TransactionException.Quoted(wrong.Path)}";
        return string.Create(CultureInfo.InvariantCulture,
            $"The body is no transaction{path}, line {wrong.LineNumber + 1}, byte {wrong.BytePositionInLine + 1}: ")
            + "send JSON as in {\"conditions\":[{\"key\":\"/a\",\"exists\":false}],"
            + "\"operations\":[{\"put\":\"/a\",\"text\":\"x\"}]}; the README has all names.";
    }
}

/// <summary>A transaction as its client has sent it. The disposal releases the memory of body and answer.</summary>
internal sealed class TransactionBody(TransactionBodies bodies, TransactionJson json, long bytes) : IDisposable
{
    private long held = bytes;

    public TransactionJson Json => json;

    /// <summary>Counts the answer's bytes, too.</summary>
    public void HoldAnswer(long answerBytes)
    {
        held += answerBytes;
        bodies.Hold(answerBytes);
    }

    public void Dispose() => bodies.Hold(-held);
}
