using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Pipelines;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Api;

/// <summary>
/// <c>GET /v1/keys</c>: a page of the keys, with their tags and sizes. The loop copies the page in one turn, so the
/// page is consistent in itself; a client that reads slowly holds only that copy.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "Semaphores without a wait handle hold nothing.")]
internal sealed class KeyList
{
    /// <summary>Maximum pages in memory. Some clients read slowly; other clients then use the other pages.</summary>
    public const int PagesMax = 8;

    /// <summary>Bytes of lines that are sent together.</summary>
    private const int FlushBytes = 32 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Time for a client to take a page. Then the place of the page goes to another list.</summary>
    private static readonly TimeSpan SendMax = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Minimum time between the copies of two pages. It bounds the share of the processors that lists take: a page
    /// costs the loop some 0.15 ms, and other threads as much again.
    /// </summary>
    private static readonly TimeSpan CopyInterval = TimeSpan.FromMilliseconds(2);

    private readonly SemaphoreSlim places = new(PagesMax);

    /// <summary>One page is copied at a time, so that the loop does other work between two pages.</summary>
    private readonly SemaphoreSlim copying = new(1);

    private readonly ConcurrentBag<KeyPage> free = [];

    /// <summary>Pages in use.</summary>
    public int Pages => PagesMax - places.CurrentCount;

    public async Task SendAsync(ApiExchange exchange, ApiNode node)
    {
        if (KeyQuery.Read(exchange.Query, out KeyRange range) is { } wrong)
        {
            await exchange.RefuseAsync(400, wrong);
            return;
        }
        if (!await places.WaitAsync(Patience, exchange.Aborted))
        {
            await exchange.RefuseAsync(503, $"{PagesMax} pages of keys are being sent: try again.");
            return;
        }
        try
        {
            KeyPage page = await CopyAsync(node, range);
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(exchange.Aborted);
            stop.CancelAfter(SendMax);
            try
            {
                await SendAsync(exchange, page, stop.Token);
            }
            catch (OperationCanceledException) when (!exchange.Aborted.IsCancellationRequested)
            {
                exchange.Abort();
            }
            finally
            {
                free.Add(page);
            }
        }
        finally
        {
            places.Release();
        }
    }

    /// <exception cref="LoopSilentException">
    /// The loop did not answer. The loop may still write to the page, which is therefore lost.
    /// </exception>
    private async Task<KeyPage> CopyAsync(ApiNode node, KeyRange range)
    {
        if (!await copying.WaitAsync(Patience))
            throw new LoopSilentException();
        try
        {
            KeyPage page = free.TryTake(out KeyPage? used) ? used : new KeyPage();
            await node.AskAsync(node =>
            {
                node.CopyKeys(page, range);
                return page;
            });
            return page;
        }
        finally
        {
            _ = LetNextCopyAsync();
        }
    }

    private async Task LetNextCopyAsync()
    {
        await Task.Delay(CopyInterval);
        copying.Release();
    }

    private static async Task SendAsync(ApiExchange exchange, KeyPage page, CancellationToken stop)
    {
        exchange.SetHeader("RaftFast-Index", page.Index.ToString(CultureInfo.InvariantCulture));
        await exchange.BeginAsync(200, "application/jsonl", null);
        if (exchange.Method != "HEAD")
        {
            PipeWriter lines = exchange.Writer;
            for (int read = 0; read < page.Encoded.Length;)
            {
                read += WriteSome(lines, page, page.Encoded[read..]);
                await lines.FlushAsync(stop);
            }
            KeyLines.WriteEnd(lines, page);
            await lines.FlushAsync(stop);
        }
        await exchange.CompleteAsync();
    }

    /// <returns>Bytes of the page whose lines have been written.</returns>
    private static int WriteSome(PipeWriter lines, KeyPage page, ReadOnlySpan<byte> encoded)
    {
        int read = 0;
        while (lines.UnflushedBytes < FlushBytes && page.TryRead(encoded[read..], out ListedKey key, out int bytes))
        {
            KeyLines.Write(lines, key, page.HasValues);
            read += bytes;
        }
        return read;
    }
}
