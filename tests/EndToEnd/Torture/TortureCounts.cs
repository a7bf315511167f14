namespace RaftFast.EndToEnd.Tests.Torture;

/// <summary>Number of a torture's answers and faults.</summary>
internal sealed record TortureCounts
{
    public int Chapters { get; set; }

    public long Answered { get; set; }

    public int Kills { get; set; }

    public int Pauses { get; set; }

    public int Partitions { get; set; }

    public int Added { get; set; }

    public int Removed { get; set; }

    public override string ToString() =>
        $"{Chapters} histories of {Answered} answers, {Kills} kills, {Pauses} pauses, {Partitions} partitions, "
        + $"{Added} members added, {Removed} removed";
}
