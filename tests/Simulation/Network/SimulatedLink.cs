namespace RaftFast.Simulation.Network;

/// <summary>
/// Connection that one server has dialled to another. Frames travel one way. Each side may learn late of the
/// connection's beginning or end.
/// </summary>
internal sealed class SimulatedLink
{
    /// <summary>True from the accepted handshake until the connection ends.</summary>
    public bool IsOpen { get; set; }

    /// <summary>True while the dialler takes the connection for open, and writes frames to it.</summary>
    public bool IsConnected { get; set; }

    /// <summary>True from the end of a connection until the dialled server learns of it.</summary>
    public bool EndIsUnseen { get; set; }

    /// <summary>
    /// Number that grows with each beginning and each end of a connection. Frames of an earlier connection never
    /// arrive.
    /// </summary>
    public int Epoch { get; set; }

    /// <summary>True while a partition swallows the frames.</summary>
    public bool IsCut { get; set; }

    /// <summary>True while handshakes pass, and all frames are lost.</summary>
    public bool IsMute { get; set; }

    /// <summary>True while the peer is behind with bulk: appends and forwards must wait.</summary>
    public bool IsClogged { get; set; }

    /// <summary>True while appends with entries are lost, and all other frames arrive.</summary>
    public bool LosesEntries { get; set; }

    /// <summary>True if the connection breaks at its next answer to a forwarded request. The answer is lost.</summary>
    public bool BreaksAtAnswer { get; set; }

    public long LastArrival { get; set; }
}
