using System.Net;
using NBomber.Contracts;
using NBomber.Contracts.Stats;
using NBomber.CSharp;
using RaftFast.LoadTest.NBomber;
using RaftFast.LoadTest.Scenarios;
using RaftFast.LoadTest.Scenarios.Cluster;
using RaftFast.LoadTest.Simulations;
using LoadSimulation = RaftFast.LoadTest.Simulations.LoadSimulation;
using Scenario = RaftFast.LoadTest.Scenarios.Scenario;

const string Usage =
    "usage: raftfast-nbomber SCENARIO TARGET [SIMULATION…]; TARGET is HOST:PORT[,HOST:PORT…], or the path of the "
    + "raftfast binary for a scenario that starts its own cluster";
const int CopiesMax = 256;
TimeSpan warmUp = TimeSpan.FromSeconds(2);

Scenario? scenario = args.Length < 2
    ? null
    : Catalog.All(keys: 1000, valueBytes: 64, snapshotEvery: 10_000).SingleOrDefault(each => each.Name == args[0]);
if (scenario is null)
    return Refuse(args.Length < 2 ? "a scenario and a target are needed" : $"there is no scenario '{args[0]}'");
List<LoadSimulation> simulations = [];
foreach (string text in args.Length > 2 ? args[2..] : [scenario.DefaultSimulation])
{
    if (SimulationParser.TryParse(text, out string? error) is not { } simulation)
        return Refuse(error!);
    simulations.Add(simulation);
}
TimeSpan during = simulations.Aggregate(TimeSpan.Zero, (sum, simulation) => sum + simulation.During);

using LocalCluster? cluster = scenario.Disturbance is { } aimed
    ? await LocalCluster.StartAsync(args[1], aimed.MemberFlags, CancellationToken.None)
    : null;
List<IPEndPoint> members = [.. cluster is null ? [] : scenario.Disturbance!.Aim(cluster)];
foreach (string text in cluster is null ? args[1].Split(',') : [])
{
    if (!IPEndPoint.TryParse(text, out IPEndPoint? member))
        return Refuse($"'{text}' is not an address and a port");
    members.Add(member);
}

Task disturbance = Task.CompletedTask;
using HostedScenario hosted = new(scenario, new Target(members, timeout: TimeSpan.FromSeconds(10)), CopiesMax)
{
    OnBegin = () =>
    {
        if (cluster is not null)
            disturbance = scenario.Disturbance!.RunAsync(cluster, during, Console.WriteLine, CancellationToken.None);
    },
};
NodeStats result = NBomberRunner
    .RegisterScenarios(hosted.Create(simulations, warmUp))
    .WithTestSuite("raftfast")
    .WithTestName(scenario.Name)
    .WithReportFolder(Path.Combine("reports", scenario.Name))
    .WithReportFormats(ReportFormat.Txt, ReportFormat.Csv, ReportFormat.Md, ReportFormat.Html)
    .Run();
await disturbance;

long failures = result.ScenarioStats.Sum(stats => (long)stats.Fail.Request.Count);
// A scenario with a disturbance fails some requests; the runner judges its threshold, and this host does not.
return failures == 0 || cluster is not null ? 0 : 1;

static int Refuse(string error)
{
    Console.Error.WriteLine($"raftfast-nbomber: {error}; {Usage}");
    return 2;
}
