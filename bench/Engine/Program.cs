using RaftFast.Engine;
using SocketThreads = RaftFast.Server.Sockets.SocketThreads;

// dotnet run -c Release --project bench/Engine                         commits/s, latency, CPU, log writes, allocation
// dotnet run -c Release --project bench/Engine -- --grid               table of many workloads
// dotnet run -c Release --project bench/Engine -- --count 10000000     collections during N commits
// dotnet run -c Release --project bench/Engine -- --against dotnext    comparison with DotNext.Net.Cluster, in turn

// Socket threads are configured before the first socket, as in a node.
SocketThreads.Configure();
return await CommandLine.InvokeAsync(args, options => new Session(options).RunAsync());
