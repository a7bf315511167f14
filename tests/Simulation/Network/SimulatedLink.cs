namespace RaftFast.Simulation.Network;

/// <summary>The connection that one server has dialled to another: frames go one way.</summary>
internal sealed class SimulatedLink
{
    public bool IsConnected { get; set; }

    /// <summary>Of the connection: frames of an earlier one never arrive.</summary>
    public int Epoch { get; set; }

    /// <summary>Partitioned: frames vanish.</summary>
    public bool IsCut { get; set; }

    /// <summary>Behind with bulk: appends and forwards have to wait.</summary>
    public bool IsClogged { get; set; }

    public long LastArrival { get; set; }
}
