using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
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

    /// <summary>Time for which a transaction waits for others to end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Time for a client to take the answer.</summary>
    private static readonly TimeSpan SendMax = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim places = new(OutstandingMax);
    private volatile bool isStopping;

    public TransactionBodies Bodies { get; } = new();

    /// <summary>Transactions that are not answered yet by the loop.</summary>
    public int Outstanding => OutstandingMax - places.CurrentCount;

    public async Task SendAsync(ApiExchange exchange)
    {
        try
        {
            byte[] token = Token(exchange);
            // A client that sends or reads slowly has no place.
            using TransactionBody body = await Bodies.ReadAsync(exchange);
            ulong number = (ulong)Random.Shared.NextInt64();
            TransactionBuilder built = TransactionBuilder.Build(body.Json, token, number);
            TransactionRequest transaction = new(built.Payload, number, built.Gets.Count > 0, token.Length > 0);
            await RunAsync(transaction, exchange.Aborted);
            await AnswerAsync(exchange, transaction, built.Gets, body).WaitAsync(SendMax, exchange.Aborted);
        }
        catch (TimeoutException)
        {
            exchange.Abort();
        }
        catch (TransactionException wrong)
        {
            await exchange.RefuseAsync(wrong.Status, wrong.Message);
        }
    }

    /// <summary>Refuses further transactions, and waits until the loop has answered those that it has.</summary>
    public async Task StopAsync(TimeSpan max)
    {
        isStopping = true;
        using CancellationTokenSource end = new(max);
        try
        {
            for (int i = 0; i < OutstandingMax; i++)
                await places.WaitAsync(end.Token);
        }
        catch (OperationCanceledException)
        {
            // The clients of the others learn no outcome.
        }
    }

    private async Task RunAsync(TransactionRequest transaction, CancellationToken aborted)
    {
        if (isStopping)
            throw Stopping();
        if (!await places.WaitAsync(Patience, aborted))
        {
            throw new TransactionException(
                503, $"{OutstandingMax} transactions are in progress at this member: nothing has changed; try again.");
        }
        try
        {
            if (isStopping)
                throw Stopping();
            inbox.Post(transaction.Request);
            // The request is the loop's until it is answered, whether its client waits or not.
            await transaction.Done;
        }
        finally
        {
            places.Release();
        }
    }

    private static TransactionException Stopping() =>
        new(503, "This member is stopping: nothing has changed; send the transaction to another member.");

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

    private static Task AnswerAsync(
        ApiExchange exchange, TransactionRequest transaction, IReadOnlyList<byte[]> gets, TransactionBody body)
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
        {
            reads.Add(ReadJson.Of(gets[i], result.Reads[i]));
            body.HoldAnswer(ReadJson.Growth * (gets[i].Length + result.Reads[i].Value.Length));
        }
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
    /// <summary>Bytes of memory for a byte of key or value, about: the byte, and its text.</summary>
    public const int Growth = 3;

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

/// <summary>A transaction that can't be sent.</summary>
/// <param name="status">400, 408, 413 or 503.</param>
/// <param name="message">What is wrong, and what would be right.</param>
internal sealed class TransactionException(int status, string message) : Exception(message)
{
    private const int QuotedMax = 100;

    public int Status { get; } = status;

    /// <returns>The beginning of a client's text.</returns>
    public static string Quoted(string text) => text.Length <= QuotedMax ? text : text[..QuotedMax] + "…";
}
