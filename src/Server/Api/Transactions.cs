using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node.Requests;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Api;

/// <summary>
/// <c>POST /v1/txn</c>: conditions and operations of several keys, all or none, in one entry of the log. The request
/// takes the way of every write (<see cref="WriteRouter"/>).
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A semaphore without a wait handle holds nothing.")]
internal sealed class Transactions(Inbox inbox)
{
    /// <summary>Maximum transactions at once. Each is an item of the inbox until the loop takes it.</summary>
    public const int OutstandingMax = 64;

    /// <summary>A transaction whose keys are all percent-encoded, with the names around them.</summary>
    private const int BodyBytesMax = 4 * 1024 * 1024;

    /// <summary>Maximum bytes of all bodies at once: eight of the largest.</summary>
    private const long BodiesBytesMax = 8L * BodyBytesMax;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim places = new(OutstandingMax);
    private long bodiesBytes;

    /// <summary>Transactions in progress.</summary>
    public int Outstanding => OutstandingMax - places.CurrentCount;

    public async Task SendAsync(ApiExchange exchange)
    {
        long bodyBytes = exchange.ContentLength ?? BodyBytesMax;
        if (bodyBytes > BodyBytesMax)
        {
            await RefuseSizeAsync(exchange);
            return;
        }
        if (!await places.WaitAsync(Patience, exchange.Aborted))
        {
            await exchange.RefuseAsync(503, $"{OutstandingMax} transactions are in progress at this member: nothing "
                + "has changed; try again.");
            return;
        }
        bool fits = Interlocked.Add(ref bodiesBytes, bodyBytes) <= BodiesBytesMax;
        try
        {
            if (fits)
                await RunAsync(exchange);
            else
                await exchange.RefuseAsync(503, "Large transactions fill this member's memory: nothing has changed; "
                    + "try again.");
        }
        catch (TransactionException wrong)
        {
            await exchange.RefuseAsync(wrong.Status, wrong.Message);
        }
        finally
        {
            Interlocked.Add(ref bodiesBytes, -bodyBytes);
            places.Release();
        }
    }

    private async Task RunAsync(ApiExchange exchange)
    {
        byte[] token = Token(exchange);
        TransactionJson? json;
        try
        {
            json = await JsonSerializer.DeserializeAsync(
                exchange.RequestBody(BodyBytesMax), ApiRequestJson.Default.TransactionJson, exchange.Aborted);
        }
        catch (JsonException wrong)
        {
            throw new TransactionException(400, Explain(wrong));
        }
        catch (BadHttpRequestException wrong) when (wrong.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            await RefuseSizeAsync(exchange);
            return;
        }
        if (json is null)
            throw new TransactionException(400, "The body is null; it must be a transaction, as the README shows.");
        ulong number = (ulong)Random.Shared.NextInt64();
        TransactionBuilder builder = TransactionBuilder.Build(json, token, number);
        TransactionRequest transaction = new(builder.Payload, number, builder.Gets.Count > 0, token.Length > 0);
        inbox.Post(transaction.Request);
        await transaction.Done;
        await AnswerAsync(exchange, transaction, builder.Gets);
    }

    private static byte[] Token(ApiExchange exchange)
    {
        if (exchange.Header("Idempotency-Key") is not { } header)
            return [];
        byte[] token = new byte[KeyCommand.TokenBytesMax];
        if (!IdempotencyKey.TryParse(Encoding.Latin1.GetBytes(header), token, out int length))
        {
            throw new TransactionException(
                400, $"Idempotency-Key is malformed: send it once, as 1 to {KeyCommand.TokenBytesMax} printable "
                + "characters in quotes.");
        }
        return token[..length];
    }

    private static string Explain(JsonException wrong)
    {
        string path = string.IsNullOrEmpty(wrong.Path) ? "" : $" at {wrong.Path}";
        return string.Create(CultureInfo.InvariantCulture,
            $"The body is no transaction{path}, line {wrong.LineNumber + 1}, byte {wrong.BytePositionInLine + 1}: ")
            + "send JSON as in {\"conditions\":[{\"key\":\"/a\",\"exists\":false}],"
            + "\"operations\":[{\"put\":\"/a\",\"text\":\"x\"}]}; the README has all names.";
    }

    private static Task RefuseSizeAsync(ApiExchange exchange) => exchange.RefuseAsync(
        413, $"The body has more than {BodyBytesMax} bytes: send several transactions.");

    private static Task AnswerAsync(
        ApiExchange exchange, TransactionRequest transaction, IReadOnlyList<byte[]> gets)
    {
        TransactionAnswer result = transaction.Result;
        if (transaction.Status != StatusCodes.Status204NoContent)
        {
            string text = Encoding.UTF8.GetString(transaction.Text).TrimEnd('\n');
            return exchange.RefuseAsync(
                transaction.Status, text, result.Index > 0 ? result.Index : null,
                result.Index > 0 ? result.Part : null);
        }
        // The outcome of a first request is remembered, but not what it has read.
        List<ReadJson>? reads = result.IsRepeated ? null : [];
        for (int i = 0; i < gets.Count && reads is not null; i++)
            reads.Add(ReadJson.Of(gets[i], result.Reads[i]));
        TransactionResultJson answer = new(result.Index, result.IsRepeated, reads);
        return exchange.SendJsonAsync(answer, ApiJson.Default.TransactionResultJson);
    }
}

/// <summary>Answer to <c>POST /v1/txn</c>.</summary>
/// <param name="Index">Index of the entry: the tag of each key that was written.</param>
/// <param name="Repeated">True if an earlier request with the same idempotency key had this outcome.</param>
/// <param name="Gets">Keys that were read; null if the outcome is repeated.</param>
internal sealed record TransactionResultJson(long Index, bool Repeated, IReadOnlyList<ReadJson>? Gets);

/// <param name="Tag">Null if the key does not exist.</param>
/// <param name="Value">Value, in base64; null if the key does not exist.</param>
internal sealed record ReadJson(string Key, string? Tag, int Size, ReadOnlyMemory<byte>? Value)
{
    public static ReadJson Of(byte[] key, TransactionRead read)
    {
        byte[] text = new byte[key.Length * PercentEncoding.Growth];
        string encoded = Encoding.ASCII.GetString(text, 0, PercentEncoding.Encode(key, text));
        return read.Tag == 0
            ? new ReadJson(encoded, null, 0, null)
            : new ReadJson(
                encoded, read.Tag.ToString(CultureInfo.InvariantCulture), read.Value.Length, read.Value);
    }
}
