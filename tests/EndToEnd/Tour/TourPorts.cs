using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Tour;

/// <summary>
/// Ports in the README, the Procfile and scripts/cluster. The ports are fixed, because a person types them. So the test
/// classes that use them are one collection.
/// </summary>
internal static class TourPorts
{
    private static readonly int[] All = [9021, 9022, 9023, 9024, 9121, 9122, 9123, 9124];

    public static void AssertFree() => AssertFree(All);

    public static void AssertFree(int[] ports)
    {
        int[] taken = [.. ports.Where(port => !FreePorts.IsFree(port))];
        Assert.True(
            taken.Length == 0,
            $"the README's commands need port {string.Join(", ", taken)}, which another process has: stop that first");
    }
}
