namespace RaftFast.Simulation.Network;

/// <summary>Connection that one server has dialled to another. Frames travel one way.</summary>
internal sealed class SimulatedLink
{
    public bool IsConnected { get; set; }

    /// <summary>Number of the connection on this link. Frames of an earlier connection never arrive.</summary>
    public int Epoch { get; set; }

    /// <summary>True while a partition swallows the frames.</summary>
    public bool IsCut { get; set; }

    /// <summary>True while handshakes pass, and all frames are lost.</summary>
    public bool IsMute { get; set; }

    /// <summary>True while the peer is behind with bulk: appends and forwards must wait.</summary>
    public bool IsClogged { get; set; }

    /// <summary>True while appends with entries are lost, and all other frames arrive.</summary>
    public bool LosesEntries { get; set; }

    public long LastArrival { get; set; }
}
