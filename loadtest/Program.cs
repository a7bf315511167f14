using System.Net;
using System.Net.Sockets;
using RaftFast.LoadTest;
using RaftFast.LoadTest.Scenarios;
using ListenException = RaftFast.Server.Sockets.ListenException;
using SocketThreads = RaftFast.Server.Sockets.SocketThreads;

// The sockets are configured before the first one is opened.
Connection.CompleteInline();

return await new CommandLine(
    (options, cancellation) => new Session(options, Console.Out, Console.Error).RunAsync(cancellation),
    ServeEmptyAsync,
    RelayAsync).InvokeAsync(args, Console.Out, Console.Error);

static async Task<int> ServeEmptyAsync(int port, int valueBytes, CancellationToken cancellation)
{
    // A node configures its threads in the same way.
    SocketThreads.Configure();
    try
    {
        await using EmptyServer server = EmptyServer.Start(port, valueBytes);
        Console.WriteLine($"listening on http://{server.EndPoint}: every PUT is answered at once, nothing is stored");
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return ExitCode.Success;
    }
    catch (ListenException e)
    {
        Console.Error.WriteLine($"loadtest: {e.Message}");
        return ExitCode.NoTarget;
    }
}

static async Task<int> RelayAsync(
    List<(IPEndPoint From, IPEndPoint To)> routes, TimeSpan roundTrip, CancellationToken cancellation)
{
    try
    {
        using Relay relay = new(routes, roundTrip);
        Console.WriteLine($"handing on with a round trip of {roundTrip.TotalMilliseconds} ms");
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return ExitCode.Success;
    }
    catch (SocketException e)
    {
        Console.Error.WriteLine($"loadtest: can't listen at an address of --relay: {e.Message}");
        return ExitCode.NoTarget;
    }
}
