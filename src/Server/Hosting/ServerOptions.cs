using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;

namespace RaftFast.Server.Hosting;

/// <summary>What the command line asked for, each value valid by itself and beside the others.</summary>
internal sealed record ServerOptions
{
    /// <summary>A member of <see cref="Configuration"/>, unless it joins.</summary>
    public required ulong MemberId { get; init; }

    /// <summary>Waits to be added to a cluster that runs already. It matters only while the data directory is empty.</summary>
    public required bool Joins { get; init; }

    /// <summary>What <c>--cluster</c> says. It matters only while the data directory is empty.</summary>
    public required ClusterConfiguration Configuration { get; init; }

    /// <summary>Whether <c>--cluster</c> was there at all.</summary>
    public required bool ClusterIsGiven { get; init; }

    /// <summary>Where <c>--cluster</c> has this member listen for the others.</summary>
    public required PeerAddress Address { get; init; }

    /// <summary>Address of the HTTP port.</summary>
    public required IPAddress Listen { get; init; }

    /// <summary>The HTTP port; 0 asks for any free one.</summary>
    public required int Port { get; init; }

    public required string DataDirectory { get; init; }

    /// <summary>How long a request may wait for its outcome before it is answered 503 or 504.</summary>
    public required TimeSpan RequestTimeout { get; init; }

    public required SnapshotOptions Snapshots { get; init; }

    public required LogLevel LogLevel { get; init; }

    public required DiskWriteMode Disk { get; init; }
}
