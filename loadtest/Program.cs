using System.CommandLine;
using System.Globalization;
using System.Net;
using RaftFast.LoadTest;

Option<string> endpoint = new("--endpoint") { Description = "ADDRESS:PORT of a member's HTTP port, on this machine.", DefaultValueFactory = _ => "127.0.0.1:9121" };
Option<bool> get = new("--get") { Description = "GET instead of PUT." };
Option<int> connections = new("--connections") { Description = "Clients, each with one connection.", DefaultValueFactory = _ => 64 };
Option<int> pipeline = new("--pipeline") { Description = "Requests that a client has under way at once.", DefaultValueFactory = _ => 1 };
Option<int> keys = new("--keys") { Description = "Different keys.", DefaultValueFactory = _ => 1000 };
Option<int> valueBytes = new("--value-bytes") { Description = "Bytes of each value.", DefaultValueFactory = _ => 64 };
Option<int> seconds = new("--seconds") { Description = "How long; a second of warm-up comes first.", DefaultValueFactory = _ => 10 };
RootCommand root = new("A closed loop of PUTs or GETs against one member: each client asks, waits for the answers, asks again.")
{
    endpoint, get, connections, pipeline, keys, valueBytes, seconds,
};
root.SetAction(parsed =>
{
    if (!IPEndPoint.TryParse(parsed.GetValue(endpoint)!, out IPEndPoint? target) || !IPAddress.IsLoopback(target.Address))
    {
        Console.Error.WriteLine($"--endpoint is '{parsed.GetValue(endpoint)}'; it must be an address of this machine's loopback and a port, like 127.0.0.1:9121");
        return 2;
    }
    ClosedLoop load = new(target, parsed.GetValue(get), parsed.GetValue(pipeline), parsed.GetValue(keys), parsed.GetValue(valueBytes));
    Result result = load.Run(parsed.GetValue(connections), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{result.PerSecond:N0} requests/s, {result.Failures} not answered 2xx; µs: p50 {result.Percentile(50):N0}, p90 {result.Percentile(90):N0}, p99 {result.Percentile(99):N0}, p99.9 {result.Percentile(99.9):N0}, max {result.Percentile(100):N0}"));
    return result.Failures == 0 ? 0 : 1;
});
return root.Parse(args).Invoke();
