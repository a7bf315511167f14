using RaftFast.Engine;
using SocketThreads = RaftFast.Server.Sockets.SocketThreads;

// dotnet run -c Release --project bench/Engine                         commits/s, latency, CPU, log writes, allocation
// dotnet run -c Release --project bench/Engine -- --grid               a table of many workloads
// dotnet run -c Release --project bench/Engine -- --count 10000000     so many commits, and the collections meanwhile
// dotnet run -c Release --project bench/Engine -- --against dotnext    in turn with DotNext.Net.Cluster

// Before the first socket is made, as the server does.
SocketThreads.Configure();
return await CommandLine.InvokeAsync(args, options => new Session(options).RunAsync());
