using System.Net;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Server.Hosting;

/// <summary>Decides under which host names clients may reach this node.</summary>
internal static class ClientAccess
{
    /// <summary>
    /// A node that listens on loopback alone answers to its own names only. A page may send a browser on the node's
    /// machine to the node under any other name (DNS rebinding). A node that listens on other addresses is reached
    /// under names that it cannot know, so it answers to any name unless <c>--allowed-host</c> lists them.
    /// </summary>
    /// <param name="listen">Address of the port: the client port, or the API.</param>
    public static AccessPolicy Policy(ServerOptions options, IPAddress listen)
    {
        if (options.AllowedHosts is null && !IPAddress.IsLoopback(listen))
            return AccessPolicy.AnyHost;
        List<string> hosts = [Environment.MachineName, Dns.GetHostName(), options.Address.Host];
        foreach (Member member in options.Configuration.Members)
            hosts.Add(member.Address.Host);
        hosts.AddRange(options.AllowedHosts ?? []);
        return AccessPolicy.OnlyHosts(hosts);
    }
}
