using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Invariants;
using RaftFast.Storage.Directories;

namespace RaftFast.Simulation.Servers;

/// <summary>A data directory of a server: a disk, and the identity that the disk keeps.</summary>
internal sealed class Volume
{
    /// <param name="server">Number of the server.</param>
    /// <param name="wrong">
    /// Contents of a volume on which the server starts by mistake; null for the server's right volume.
    /// </param>
    public Volume(Cluster cluster, int server, SeededRandom random, DurableLog? wrong)
    {
        Wrong = wrong;
        Identity = new NodeIdentity(
            (ulong)server + 1, SimulatedServer.AddressOf(server, 0), random.NextUInt64(),
            cluster.ConfigurationAtFirst(server));
        Disk = new SimulatedDisk(random.Fork("disk"), cluster.Counters, cluster.Scenario.IsBuffered)
        {
            Written = image => cluster.Invariants.OnWritten(server, image),
            Torn = (image, mayBeWhole) => cluster.Invariants.OnTorn(server, image, mayBeWhole),
        };
    }

    public SimulatedDisk Disk { get; }

    public NodeIdentity Identity { get; set; }

    /// <summary>What the volume holds, if it is a wrong one; else null.</summary>
    public DurableLog? Wrong { get; }
}
