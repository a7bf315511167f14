using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Judges one client's waiting GETs. A server that runs answers such a read soon after the key has changed there, and
/// soon after its time is up.
/// </summary>
internal sealed class WaitJudge(Cluster cluster)
{
    /// <summary>
    /// Microseconds that a server may run before it answers a read that is due. The server looks for such reads ten
    /// times a second.
    /// </summary>
    private const long OverdueMax = 400_000;

    /// <summary>
    /// Maximum microseconds between two steps that count as running: the server may have been paused.
    /// </summary>
    private const long StepMax = 50_000;

    private KeyRequest asked;
    private byte[] key = [];
    private long taken;
    private long lastStep;
    private long overdue;

    /// <param name="name">Name of the request's key.</param>
    public void Begin(in KeyRequest request, byte[] name)
    {
        asked = request;
        key = name;
        taken = lastStep = overdue = 0;
    }

    public void OnStepped(SimulatedServer server)
    {
        long now = cluster.Events.Now;
        if (lastStep == 0)
            taken = lastStep = now;
        bool hasChanged = server.Store!.TagOf(key) != asked.Tag;
        // No read is answered before the leader has confirmed an index, which takes at most the request timeout.
        long patience = (server.Second * cluster.Scenario.RequestTimeout / 1_000)
            + (hasChanged ? 0 : server.Second * asked.Wait);
        overdue = now - taken > patience ? overdue + Math.Min(now - lastStep, StepMax) : 0;
        lastStep = now;
        if (overdue > OverdueMax)
        {
            throw new InvariantException(hasChanged
                ? $"a GET still waits at server {server.Number + 1}, though its key has changed there"
                : $"a GET still waits at server {server.Number + 1}, though its time is up");
        }
    }

    /// <summary>Counts how the wait ended.</summary>
    public void Count(int status)
    {
        bool isChange = status == 200 || (status == 404 && asked.Tag != 0);
        cluster.Counters[isChange ? Counter.WaitsWoken : Counter.WaitsEnded]++;
    }
}
