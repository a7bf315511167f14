using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Snapshots;

/// <summary>A client that overwrites its large values as fast as the server takes them.</summary>
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

    /// <summary>In which each of its keys was written.</summary>
    public int Rounds => rounds;

    /// <summary>Of the first write that was not answered 204.</summary>
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
