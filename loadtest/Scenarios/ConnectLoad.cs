namespace RaftFast.LoadTest.Scenarios;

/// <summary>Connects, sends one PUT and disconnects, every second time with a reset.</summary>
public sealed class ConnectLoad(int valueBytes) : Load
{
    private readonly byte[] put = KeyValueLoad.Put(0, valueBytes);

    public override int ValueBytes => valueBytes;

    public override async Task<Response> PrepareAsync(Target target)
    {
        using Connection connection = new(target, 0);
        return await connection.ExchangeAsync(put);
    }

    public override Copy CreateCopy(Target target, int number) => new Client(put, target, number);

    private sealed class Client : Copy
    {
        private readonly Connection connection;
        private readonly Step[] steps;
        private bool resets;

        public Client(byte[] put, Target target, int number)
        {
            connection = new Connection(target, number);
            resets = number % 2 == 0;
            steps = [new Step("connect", connection.OpenAsync), new Step("put", () => connection.ExchangeAsync(put))];
        }

        /// <summary>Ends the previous iteration's connection.</summary>
        public override IReadOnlyList<Step> Next()
        {
            if (resets)
                connection.Reset();
            else
                connection.Close();
            resets = !resets;
            return steps;
        }

        protected override void Dispose(bool disposing) => connection.Dispose();
    }
}
