using System.Globalization;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>
/// Makes the members take a snapshot after each <c>everyEntries</c> applied entries, and reports their log lines about
/// snapshots.
/// </summary>
public sealed class TakeSnapshots(int everyEntries) : Disturbance
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    public override IReadOnlyList<string> MemberFlags =>
        ["--snapshot-every", everyEntries.ToString(CultureInfo.InvariantCulture)];

    public override async Task RunAsync(
        LocalCluster cluster, TimeSpan during, Action<string> say, CancellationToken cancellation)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(during);
        int[] seen = new int[cluster.Members.Count];
        bool any = false;
        while (!end.IsCancellationRequested)
        {
            for (int i = 0; i < seen.Length; i++)
            {
                IReadOnlyList<string> lines = cluster.Members[i].Log;
                for (; seen[i] < lines.Count; seen[i]++)
                {
                    if (!lines[seen[i]].Contains("snapshot", StringComparison.OrdinalIgnoreCase))
                        continue;
                    any = true;
                    say($"member {cluster.Members[i].Id}: {lines[seen[i]]}");
                }
            }
            await Task.Delay(LookInterval, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (!any)
            say($"no member logged a snapshot: fewer than {everyEntries} entries were applied, or its text changed");
    }
}
