using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Snapshots;

/// <summary>A client that overwrites large values, each as soon as the last write is answered.</summary>
internal sealed class Overwriter : IDisposable
{
    private const int Keys = 500;

    private const int ValueBytes = 64 * 1024;

    private readonly Thread thread;
    private volatile int rounds;
    private volatile bool isStopping;
    private volatile string? failure;

    public Overwriter(int number, ClusterNode node)
    {
        thread = new Thread(() => Write(number, node)) { IsBackground = true };
        thread.Start();
    }

    /// <summary>Number of times that all keys have been written.</summary>
    public int Rounds => rounds;

    /// <summary>Status of the first write that was not answered 204, or null.</summary>
    public string? Failure => failure;

    public void Dispose()
    {
        isStopping = true;
        thread.Join();
    }

    private void Write(int number, ClusterNode node)
    {
        byte[] value = new byte[ValueBytes];
        for (int i = 0; !isStopping; i = (i + 1) % Keys)
        {
            int? status = node.TryExchange("PUT", $"/large/{number}/{i}", value)?.Status;
            if (status != 204)
                failure ??= $"{status}";
            if (i == Keys - 1)
                rounds++;
        }
    }
}
