using RaftFast.Protocol;
using RaftFast.Storage.Directories;

namespace RaftFast.Server.Tests.Peers;

/// <summary>What the tests' members say of themselves.</summary>
internal static class TestHandshakes
{
    public static ulong DirectoryOf(ulong id) => 0xD000 + id;

    /// <summary>Nobody listens there.</summary>
    public static PeerAddress AddressOf(ulong id) => new("127.0.0.1", 100 + (int)id);

    public static Handshake From(ulong from, ulong to = 1, ulong clusterId = Node.ClusterId) =>
        new(clusterId, from, to, DirectoryOf(from), AddressOf(from));

    /// <summary>Of a member whose directory knows of no other.</summary>
    public static NodeIdentity Identity(ulong id, ulong clusterId = Node.ClusterId) =>
        new(id, AddressOf(id), DirectoryOf(id), new ClusterConfiguration(clusterId, []));
}
