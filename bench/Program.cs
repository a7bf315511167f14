using System.Globalization;
using BenchmarkDotNet.Running;
using RaftFast.Bench;
using RaftFast.Bench.Baselines;

// Each line is what follows "dotnet run -c Release --project bench -- ":
// disk [directory]                       the disk's rate of durable writes
// floor|disk-rate directory              for bench/compare/targets
// store [--keys n]                       memory, times and pauses of a store of n keys
// recovery [--keys n] [--entries n] [--binary path]
//                                        start from snapshot and log
// snapshot [--keys n] [--binary path]    PUTs while a snapshot is taken
// list [--keys n] [--binary path]        PUTs while keys are listed
// watch [--binary path]                  a thousand watches of keys that are written
// --filter '*'                           BenchmarkDotNet's micro-benchmarks
// baseline [--write]                     runs all micro-benchmarks and compares them with bench/baselines.csv: no
//                                        benchmark may begin to allocate
if (args is ["disk", ..])
{
    DiskSync.Run(args.Length > 1 ? args[1] : Directory.GetCurrentDirectory());
    return 0;
}
if (args is ["floor", string floorDirectory])
{
    Floor.Run(floorDirectory);
    return 0;
}
if (args is ["disk-rate", string rateDirectory])
{
    DiskSync.RunRate(rateDirectory);
    return 0;
}
if (args is ["store"])
{
    StoreScale.Run(StoreScale.KeysDefault);
    return 0;
}
if (args is ["store", "--keys", string keys])
{
    StoreScale.Run(int.Parse(keys, CultureInfo.InvariantCulture));
    return 0;
}
if (args is ["baseline"])
    return BaselineRun.Check(BaselineRun.PathDefault);
if (args is ["baseline", "--write"])
    return BaselineRun.Write(BaselineRun.PathDefault);
if (args is ["recovery" or "snapshot" or "list" or "watch", ..])
{
    string binary = Path.GetFullPath(Value("--binary", "out/raftfast"));
    int keyCount = Number("--keys", RecoveryTime.KeysDefault);
    if (args[0] == "recovery")
        RecoveryTime.Run(binary, keyCount, Number("--entries", RecoveryTime.EntriesDefault));
    else if (args[0] == "snapshot")
        SnapshotLatency.Run(binary, keyCount);
    else if (args[0] == "list")
        ListLatency.Run(binary, keyCount);
    else
        WatchFanOut.Run(binary);
    return 0;
}
BenchmarkSwitcher.FromAssembly(typeof(RecordBenchmarks).Assembly).Run(args);
return 0;

string Value(string flag, string otherwise)
{
    int place = Array.IndexOf(args, flag);
    return place < 0 ? otherwise : args[place + 1];
}

int Number(string flag, int otherwise)
{
    CultureInfo culture = CultureInfo.InvariantCulture;
    return int.Parse(Value(flag, otherwise.ToString(culture)), culture);
}
