using System.Net;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>What is driven: the HTTP ports of one or more members of one cluster.</summary>
/// <param name="timeout">From the beginning of a request, or of a connection, to its end.</param>
public sealed class Target(IReadOnlyList<IPEndPoint> members, TimeSpan timeout)
{
    public IReadOnlyList<IPEndPoint> Members { get; } = members;

    public TimeSpan Timeout { get; } = timeout;
}
