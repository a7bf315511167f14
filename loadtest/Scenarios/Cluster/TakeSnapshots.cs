using System.Globalization;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>The servers take a snapshot each time that so many entries have been applied; what they log of it is reported.</summary>
public sealed class TakeSnapshots(int everyEntries) : Disturbance
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    public override IReadOnlyList<string> ServerFlags =>
        ["--snapshot-every", everyEntries.ToString(CultureInfo.InvariantCulture)];

    public override async Task RunAsync(LocalCluster cluster, TimeSpan during, Action<string> say, CancellationToken cancellation)
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
            say($"no server logged a snapshot: fewer than {everyEntries} entries, or it takes them in silence");
    }
}
