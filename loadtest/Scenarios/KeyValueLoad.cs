using System.Text;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>PUTs and GETs of random keys. Each copy has its own connection.</summary>
public sealed class KeyValueLoad : Load
{
    private readonly int getPercent;
    private readonly byte[][] puts;
    private readonly byte[][] gets;

    /// <param name="getPercent">Percentage of GETs; the other requests are PUTs.</param>
    public KeyValueLoad(int getPercent, int keys, int valueBytes)
    {
        this.getPercent = getPercent;
        ValueBytes = valueBytes;
        puts = new byte[keys][];
        gets = new byte[keys][];
        for (int i = 0; i < keys; i++)
        {
            puts[i] = Put(i, valueBytes);
            gets[i] = Encoding.ASCII.GetBytes($"GET {Key(i)} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
    }

    public override int ValueBytes { get; }

    internal static byte[] Put(int key, int valueBytes)
    {
        byte[] head = Encoding.ASCII.GetBytes(
            $"PUT {Key(key)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {valueBytes}\r\n\r\n");
        byte[] request = new byte[head.Length + valueBytes];
        request.AsSpan().Fill((byte)'x');
        head.CopyTo(request, 0);
        return request;
    }

    /// <summary>Writes each key once, so that each GET finds a value.</summary>
    public override async Task<Response> PrepareAsync(Target target)
    {
        if (getPercent == 0)
            return await ExchangeAllAsync(target, puts[..1], 0, 1);
        Task<Response>[] writers = new Task<Response>[Math.Min(16, puts.Length)];
        for (int i = 0; i < writers.Length; i++)
            writers[i] = ExchangeAllAsync(target, puts, i, writers.Length);
        Response outcome = default;
        foreach (Response response in await Task.WhenAll(writers))
        {
            if (!outcome.IsOk)
                outcome = response;
            if (!response.IsOk)
                return response;
        }
        return outcome;
    }

    public override Copy CreateCopy(Target target, int number) => new Client(this, target, number);

    private static string Key(int number) => $"/key-{number:D6}";

    private static async Task<Response> ExchangeAllAsync(Target target, byte[][] requests, int first, int stride)
    {
        using Connection connection = new(target, first);
        Response response = default;
        for (int i = first; i < requests.Length; i += stride)
        {
            response = await connection.ExchangeAsync(requests[i]);
            if (!response.IsOk)
                return response;
        }
        return response;
    }

    private sealed class Client : Copy
    {
        private readonly KeyValueLoad load;
        private readonly Connection connection;
        private readonly Random random;
        private readonly Step[] put;
        private readonly Step[] get;

        public Client(KeyValueLoad load, Target target, int number)
        {
            this.load = load;
            connection = new Connection(target, number);
            random = new Random(number);
            put = [new Step("put", () => connection.ExchangeAsync(load.puts[random.Next(load.puts.Length)]))];
            get = [new Step("get", () => connection.ExchangeAsync(load.gets[random.Next(load.gets.Length)]))];
        }

        public override IReadOnlyList<Step> Next() => random.Next(100) < load.getPercent ? get : put;

        protected override void Dispose(bool disposing) => connection.Dispose();
    }
}
