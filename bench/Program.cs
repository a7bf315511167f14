using BenchmarkDotNet.Running;
using RaftFast.Bench;

// dotnet run -c Release --project bench -- disk [directory]      how fast this disk takes the log's writes
// dotnet run -c Release --project bench -- --filter '*'          BenchmarkDotNet's micro-benchmarks
if (args is ["disk", ..])
{
    DiskSync.Run(args.Length > 1 ? args[1] : Directory.GetCurrentDirectory());
    return 0;
}
BenchmarkSwitcher.FromAssembly(typeof(RecordBenchmarks).Assembly).Run(args);
return 0;
