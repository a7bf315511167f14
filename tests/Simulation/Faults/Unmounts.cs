using RaftFast.Simulation.Events;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Faults;

/// <summary>
/// Lets one server alternate between its right volume and another one, which is empty at first, as a machine does whose
/// volume is not always mounted. At the end the server is on its right volume, and must be accepted.
/// </summary>
internal sealed class Unmounts(Cluster cluster, SimulatedServer[] servers, SeededRandom random)
{
    /// <summary>
    /// Maximum steps in which the server may make its first promise on the right volume. Meanwhile the others can reach
    /// the server, and the server reaches none of them.
    /// </summary>
    private const int LooksMax = 20;

    private readonly SimulatedServer server =
        servers[(int)(cluster.Scenario.Seed / 7 % (ulong)cluster.Scenario.Servers)];

    private int looks;
    private bool hasMetEmpty;
    private bool isOver;

    private bool IsEmptyFirst => cluster.Scenario.Unmount == UnmountKind.EmptyFirst;

    /// <summary>
    /// True if this is the server that may be on an empty volume. There it has met no other server's directory.
    /// </summary>
    public bool MayTake(SimulatedServer other) => cluster.Scenario.Unmount != UnmountKind.None && other == server;

    public void Begin()
    {
        if (cluster.Scenario.Unmount == UnmountKind.None)
            return;
        // The server gets entries on its right volume, and no other server meets it there.
        if (IsEmptyFirst)
            ForEachLink(static link => link.IsCut = true);
        ScheduleNext();
    }

    /// <summary>The server may change from one volume to the other.</summary>
    public void Step()
    {
        if (isOver || server.IsLost || server.IsWiped)
            return;
        if (IsEmptyFirst)
            MeetEmpty();
        else if (!server.IsOnRightVolume)
            RemountPerhaps();
        else if (cluster.Connections.IsKnownToAll(server) && cluster.Invariants.HasPromised(server.Number))
            Unmount();
        if (!isOver)
            ScheduleNext();
    }

    /// <summary>The server comes back to its right volume.</summary>
    public void End()
    {
        isOver = true;
        ForEachLink(static link => link.IsMute = false);
        server.Remount();
    }

    /// <summary>
    /// If all others keep the server's directory, another one that holds promises must not replace it either.
    /// </summary>
    private void Unmount()
    {
        bool isKept = Array.TrueForAll(servers, other => other == server || other.Keeps(server));
        bool claimsPromises = isKept && random.OneIn(2);
        cluster.Counters[Counter.KeptDirectoriesReplaced] += claimsPromises ? 1 : 0;
        server.Unmount(startsMax: int.MaxValue, claimsPromises);
    }

    /// <summary>A server that is refused on the wrong volume may start there several times.</summary>
    private void RemountPerhaps()
    {
        if (random.OneIn(3))
            server.Remount();
    }

    /// <summary>
    /// Has the others meet the server on an empty volume, once. Its frames are lost, so that no promise from there is
    /// counted. Then the server comes back to its right volume, which holds promises and replaces the empty one.
    /// </summary>
    private void MeetEmpty()
    {
        // A second time, the volume would hold promises of the first time.
        if (hasMetEmpty || ++looks > LooksMax)
        {
            ForEachLink(static link => link.IsCut = false);
            End();
            return;
        }
        if (!cluster.Invariants.HasPromised(server.Number))
            return;
        hasMetEmpty = true;
        server.Unmount(startsMax: 1, claimsPromises: false);
        ForEachLink(static link => (link.IsCut, link.IsMute) = (false, true));
    }

    private void ForEachLink(Action<SimulatedLink> change)
    {
        foreach (SimulatedServer other in servers)
            change(cluster.Network.Link(server.Number, other.Number));
    }

    private void ScheduleNext() =>
        cluster.Events.Schedule(
            random.Between(1_000, cluster.Scenario.FaultIntervalMax), new Event(EventKind.Mount, 0, 0, 0));
}

/// <summary>How a server alternates between two volumes.</summary>
internal enum UnmountKind
{
    None,

    /// <summary>All others have met the server on its right volume when it starts on the empty one.</summary>
    RightFirst,

    /// <summary>The others meet the server on the empty volume first.</summary>
    EmptyFirst,
}
