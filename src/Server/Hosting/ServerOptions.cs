using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Sockets;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Hosting;

/// <summary>Values of the command line, each valid by itself and together with the others.</summary>
internal sealed record ServerOptions
{
    /// <summary>This node's id: that of a member in <see cref="Configuration"/>, unless the node joins.</summary>
    public required ulong MemberId { get; init; }

    /// <summary>
    /// True to wait until a running cluster adds this node. Used only while the data directory is empty.
    /// </summary>
    public required bool Joins { get; init; }

    /// <summary>The members in <c>--cluster</c>. Used only while the data directory is empty.</summary>
    public required ClusterConfiguration Configuration { get; init; }

    /// <summary>True if the command line has <c>--cluster</c>.</summary>
    public required bool ClusterIsGiven { get; init; }

    /// <summary>This node's own URL in <c>--cluster</c>, at which peers dial it.</summary>
    public required PeerAddress Address { get; init; }

    /// <summary>Address of the HTTP port.</summary>
    public required IPAddress Listen { get; init; }

    /// <summary>Address of the peer port; null to listen at the host of the node's own URL.</summary>
    public IPAddress? PeerListen { get; init; }

    /// <summary>Host names in <c>--allowed-host</c>; null if the command line does not have the flag.</summary>
    public IReadOnlyList<string>? AllowedHosts { get; init; }

    /// <summary>The HTTP port; 0 takes any free port.</summary>
    public required int Port { get; init; }

    /// <summary>Address of the API, if there is one.</summary>
    public ApiSetting Api { get; init; } = ApiSetting.Off;

    public required string DataDirectory { get; init; }

    /// <summary>Time that a request may wait for its outcome before it is answered 503 or 504.</summary>
    public required TimeSpan RequestTimeout { get; init; }

    /// <summary>Bounds for clients. The limit of open descriptors may lower these bounds.</summary>
    public required HttpLimits Clients { get; init; }

    /// <summary>Bytes of keys and values beyond which a write that needs more memory is answered 507.</summary>
    public required long StateMax { get; init; }

    /// <summary>Bytes of changes that are kept for watches.</summary>
    public int WatchHistory { get; init; } = ChangeHistory.BytesDefault;

    public IdempotencyOptions Idempotency { get; init; } = new();

    public required SnapshotOptions Snapshots { get; init; }

    public required TransportKind Transport { get; init; }

    public required LogIo LogIo { get; init; }

    public required LogLevel LogLevel { get; init; }

    public required DiskWriteMode Disk { get; init; }
}
