using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(RaftFast.EndToEnd.Tests.Kit.LongestFirst))]

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>Starts the collections that take longest first, so that none of them runs at the end by itself.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        "TourPorts", "TortureTests", "IdempotencyTests", "StopTests", "KillTests", "CounterTests", "QuorumLossTests",
        "StaleReadTests", "PageTests", "HungDiskTests", "SnapshotInstallTests", "InstallUnderLoadTests",
        "AddMemberTests",
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(
        IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Rank(collection.TestCollectionDisplayName))];

    private static int Rank(string name)
    {
        int rank = Array.FindIndex(Longest, longest => name.Contains(longest, StringComparison.Ordinal));
        return rank < 0 ? Longest.Length : rank;
    }
}
