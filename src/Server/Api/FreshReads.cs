using RaftFast.Http;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Api;

/// <summary>
/// Confirms that this member has applied everything up to a fresh read index. One probe is out at a time. Callers that
/// come while a probe is out share the next probe.
/// </summary>
internal sealed class FreshReads(Inbox inbox)
{
    private readonly Lock gate = new();
    private Task<bool> last = Task.FromResult(true);
    private Task<bool>? next;

    /// <summary>Probes, with an index that the leader confirms after this call.</summary>
    /// <returns>False if no index was confirmed and applied within the time of a request.</returns>
    public Task<bool> ConfirmAsync()
    {
        lock (gate)
            return next ??= ProbeAfterAsync(last);
    }

    private async Task<bool> ProbeAfterAsync(Task<bool> former)
    {
        // Continue on another thread, after `next` is set.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await former;
        ReadProbe probe = new();
        lock (gate)
        {
            last = probe.Done;
            next = null;
        }
        inbox.Post(probe.Request);
        return await probe.Done;
    }
}
