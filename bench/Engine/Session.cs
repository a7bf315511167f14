using System.Net;

namespace RaftFast.Engine;

/// <summary>One run of the program: measures and prints as the options say.</summary>
internal sealed class Session(EngineOptions options)
{
    private const string RaftFast = "RaftFast";
    private const string DotNext = "DotNext";

    /// <summary>Time for a given number of commits.</summary>
    private static readonly TimeSpan CountTimeout = TimeSpan.FromMinutes(10);

    private static readonly int[] GridClients = [1, 16, 64, 256];
    private static readonly int[] GridOutstanding = [1, 16, 256];
    private static readonly int[] GridValues = [16, 1024];

    public async Task RunAsync()
    {
        if (options.PrintsCsv)
            Console.WriteLine(Report.CsvHeader);
        if (options.RunsGrid)
            await RunGridAsync();
        else if (options.ComparesWithDotNext)
            await CompareAsync();
        else
            Print(RaftFast, await MeasureRaftFastAsync());
    }

    /// <summary>
    /// Measures each workload with a new cluster and an empty log. Takes at most a minute and a half.
    /// </summary>
    private async Task RunGridAsync()
    {
        if (!options.PrintsCsv)
            Console.WriteLine(Report.TableHeader);
        foreach (int value in GridValues)
        {
            foreach (int clients in GridClients)
            {
                foreach (int outstanding in GridOutstanding)
                {
                    Workload workload = new(clients, outstanding, value, options.Workload.Keys);
                    if (!workload.FitsTheLeader)
                        continue;
                    Measurement measured =
                        await MeasureRaftFastAsync(workload, warmUpSeconds: 0.8, seconds: 1.2, count: 0);
                    Console.WriteLine(options.PrintsCsv
                        ? Report.Csv(RaftFast, options.Members, measured)
                        : Report.TableLine(measured));
                }
            }
        }
    }

    private async Task CompareAsync()
    {
        List<double> ratios = [];
        // The first round of each system is not counted: a slower system runs longer before the compiler optimizes it.
        for (int round = 0; round <= options.Rounds; round++)
        {
            Measurement own = await MeasureRaftFastAsync();
            Measurement other = await MeasureDotNextAsync();
            if (round == 0)
                continue;
            Print(RaftFast, own);
            Print(DotNext, other);
            ratios.Add(own.CommitsPerSecond / other.CommitsPerSecond);
        }
        if (options.PrintsCsv)
            return;
        ratios.Sort();
        Console.WriteLine(
            $"RaftFast / DotNext, median of {ratios.Count}: {ratios[ratios.Count / 2]:F2} "
            + $"(from {ratios[0]:F2} to {ratios[^1]:F2}) commits/s");
        Console.WriteLine(DotNextCluster.Meaning);
    }

    private void Print(string system, Measurement measured)
    {
        if (options.PrintsCsv)
            Console.WriteLine(Report.Csv(system, options.Members, measured));
        else
            Report.Print(system, measured);
    }

    private Task<Measurement> MeasureRaftFastAsync() =>
        MeasureRaftFastAsync(options.Workload, options.WarmUpSeconds, options.Seconds, options.Count);

    private async Task<Measurement> MeasureRaftFastAsync(
        Workload workload, double warmUpSeconds, double seconds, long count)
    {
        using TemporaryDirectory directory = new(options.DataDirectory);
        await using Cluster cluster = await Cluster.StartAsync(options.Members, directory.Path, workload);
        return Measurement.Take(cluster, workload, options.Members, warmUpSeconds, seconds, count, CountTimeout);
    }

    private async Task<Measurement> MeasureDotNextAsync()
    {
        using TemporaryDirectory directory = new(options.DataDirectory);
        IPEndPoint[] addresses = Loopback.FreeEndPoints(options.Members);
        await using DotNextCluster cluster =
            await DotNextCluster.StartAsync(addresses, directory.Path, options.Workload.PayloadBytes);
        return Measurement.Take(
            cluster, options.Workload, options.Members, options.WarmUpSeconds, options.Seconds, options.Count,
            CountTimeout);
    }
}
