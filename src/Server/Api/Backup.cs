using System.Globalization;
using RaftFast.Server.Node;
using RaftFast.Server.Peers.Snapshots;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Api;

/// <summary>
/// <c>GET /v1/backup</c>: a backup of a running member. First a read is confirmed, so this member has applied every
/// write that was acknowledged before the request. Then a snapshot of that state, or of a later one, is taken. The
/// snapshot's file is verified while it is sent, at a bounded rate. The file stays open, so newer snapshots may replace
/// it meanwhile.
/// </summary>
internal sealed class Backup(SnapshotStore snapshots, long bytesPerSecond)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// 1 while a backup is under way. Backups come one at a time, because each needs a new snapshot on the disk.
    /// </summary>
    private int isBusy;

    public async Task SendAsync(ApiExchange exchange, ApiNode node)
    {
        if (Interlocked.Exchange(ref isBusy, 1) != 0)
        {
            await exchange.RefuseAsync(503, "Another backup of this member is under way: try again after it, or at "
                + "another member.");
            return;
        }
        try
        {
            if (!await node.Reads.ConfirmAsync())
            {
                await exchange.RefuseAsync(503, "No leader confirmed that this member is up to date, so a backup could "
                    + "lack acknowledged writes: try again, or at another member.");
                return;
            }
            long index = await node.AskAsync(static node => node.Core.Log.Applied);
            if (!await TakeAsync(node, index, exchange.Aborted))
            {
                await exchange.RefuseAsync(507, "The disk of this member has no room for a snapshot: free space there, "
                    + "or take the backup at another member.");
                return;
            }
            await SendNewestAsync(exchange);
        }
        finally
        {
            Volatile.Write(ref isBusy, 0);
        }
    }

    /// <summary>
    /// Waits for a snapshot that covers the entry. A large state takes long, so there is no limit of time.
    /// </summary>
    /// <returns>False if the disk has no room.</returns>
    private static async Task<bool> TakeAsync(ApiNode node, long index, CancellationToken aborted)
    {
        long failedBefore = (await node.AskAsync(static node => node.Snapshots())).Failed;
        while (true)
        {
            SnapshotReport now = await node.AskAsync(node =>
            {
                node.WantSnapshot(index);
                return node.Snapshots();
            });
            if (now.Index >= index)
                return true;
            if (now.Failed > failedBefore)
                return false;
            await Task.Delay(Period, aborted);
        }
    }

    private async Task SendNewestAsync(ApiExchange exchange)
    {
        using SnapshotReader? reader = snapshots.TryReadNewest();
        if (reader is null || reader.Damage is not null)
        {
            await exchange.RefuseAsync(503, "The snapshot for the backup is damaged: check this member's disk, and "
                + $"take the backup at another member. {reader?.Damage}");
            return;
        }
        exchange.SetHeader("Content-Disposition", string.Create(
            CultureInfo.InvariantCulture,
            $"attachment; filename=\"raftfast-{reader.ClusterId:x16}-{reader.Position.Index}.backup\""));
        exchange.SetHeader("RaftFast-Index", reader.Position.Index.ToString(CultureInfo.InvariantCulture));
        await exchange.BeginAsync(200, "application/octet-stream", reader.FileBytes);
        SendRate rate = new(bytesPerSecond, TimeProvider.System);
        SnapshotReadStatus status = SnapshotReadStatus.Chunk;
        await SendImageAsync(exchange, reader, rate);
        while (status == SnapshotReadStatus.Chunk)
        {
            status = reader.Read();
            if (status == SnapshotReadStatus.Damaged)
            {
                // The status is sent already. The client sees that the answer breaks off, and a restore refuses the
                // file.
                exchange.Abort();
                return;
            }
            await SendImageAsync(exchange, reader, rate);
        }
        await exchange.CompleteAsync();
    }

    private static async Task SendImageAsync(ApiExchange exchange, SnapshotReader reader, SendRate rate)
    {
        byte[] image = reader.Image.ToArray();
        await exchange.Body.WriteAsync(image, exchange.Aborted);
        await Task.Delay(rate.Spend(image.Length), exchange.Aborted);
    }
}
