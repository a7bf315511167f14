using RaftFast.Protocol;
using RaftFast.Storage.Directories;

namespace RaftFast.Server.Tests.Peers;

/// <summary>Handshakes and identities of the tests' members.</summary>
internal static class TestHandshakes
{
    public static ulong DirectoryOf(ulong id) => 0xD000 + id;

    /// <summary>An address at which no process listens.</summary>
    public static PeerAddress AddressOf(ulong id) => new("127.0.0.1", 100 + (int)id);

    public static Handshake From(ulong from, ulong to = 1, ulong clusterId = Node.ClusterId) =>
        new(clusterId, from, to, DirectoryOf(from), AddressOf(from)) { HasPromised = true };

    /// <summary>Identity of a member whose directory knows no other member.</summary>
    public static NodeIdentity Identity(ulong id, ulong clusterId = Node.ClusterId) =>
        new(id, AddressOf(id), DirectoryOf(id), new ClusterConfiguration(clusterId, []));
}
