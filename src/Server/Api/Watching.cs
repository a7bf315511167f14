using System.IO.Pipelines;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Api;

/// <summary><c>GET /v1/watch</c>: changes under a prefix, in the order of the log, as they are applied here.</summary>
internal static class Watching
{
    public static async Task SendAsync(ApiExchange exchange, Watches watches)
    {
        string? wrong = WatchQuery.Read(exchange.Query, exchange.Header("Last-Event-ID"), out WatchRange range);
        if (wrong is not null)
        {
            await exchange.RefuseAsync(400, wrong);
            return;
        }
        if (watches.TryBegin(range.Prefix) is not { } watch)
        {
            await exchange.RefuseAsync(503, $"This member has its maximum of {watches.Max} watches: try another "
                + "member, or watch a shorter prefix in place of several long ones.");
            return;
        }
        try
        {
            HistoryExtent extent = watches.History.Read();
            if (range.After < extent.Floor)
            {
                await exchange.RefuseAsync(410, $"This member knows the changes after entry {extent.Floor} only: list "
                    + "the keys anew, with GET /v1/keys, and watch after the index of the first page. More memory for "
                    + "changes (--watch-history) gives clients more time to return.");
                return;
            }
            using CancellationTokenRegistration gone = exchange.Aborted.UnsafeRegister(
                static watch => ((Watch)watch!).Signal.Set(), watch);
            long after = range.After ?? extent.Index;
            WatchEvents events = new(watches.History, range, watches.History.Find(after, extent), after);
            await exchange.BeginAsync(200, "text/event-stream", null);
            if (range.After is null)
                events.WriteBegin(exchange.Writer);
            await exchange.Writer.FlushAsync(exchange.Aborted);
            await FollowAsync(exchange, watches, watch, events);
        }
        finally
        {
            watches.End(watch);
        }
    }

    private static async Task FollowAsync(ApiExchange exchange, Watches watches, Watch watch, WatchEvents events)
    {
        PipeWriter output = exchange.Writer;
        while (!exchange.Aborted.IsCancellationRequested)
        {
            switch (events.Write(output))
            {
                case WatchStatus.Torn:
                    // Part of an event is sent. The client drops that part at the end of the stream, and is refused
                    // when it connects again.
                    watches.CountGone();
                    exchange.Abort();
                    return;
                case WatchStatus.Gone:
                    watches.CountGone();
                    events.WriteGone(output);
                    await output.FlushAsync(exchange.Aborted);
                    await exchange.CompleteAsync();
                    return;
                case WatchStatus.Idle when !events.HasUnflushed:
                    await ParkAsync(watches, watch, events);
                    if (!Watches.IsSilent(watch))
                        continue;
                    events.WriteAlive(output);
                    break;
            }
            await output.FlushAsync(exchange.Aborted);
            watch.ToldAt = Environment.TickCount64;
        }
    }

    private static async ValueTask ParkAsync(Watches watches, Watch watch, WatchEvents events)
    {
        watch.Position = events.Position;
        watch.Index = events.Index;
        await watches.ParkAsync(watch);
        events.SkipTo(watch.Position, watch.Index);
    }
}
