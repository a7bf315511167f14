using System.Net;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>Target of a load: the HTTP addresses of one or more members of a cluster.</summary>
/// <param name="timeout">Time that a request, or opening a connection, may take.</param>
public sealed class Target(IReadOnlyList<IPEndPoint> members, TimeSpan timeout)
{
    public IReadOnlyList<IPEndPoint> Members { get; } = members;

    public TimeSpan Timeout { get; } = timeout;
}
