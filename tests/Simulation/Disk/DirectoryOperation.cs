namespace RaftFast.Simulation.Disk;

/// <summary>A change of the directory that no SyncDirectory has covered yet.</summary>
/// <param name="From">Name that disappears, if any.</param>
/// <param name="To">Name that appears with its file, if any.</param>
internal readonly record struct DirectoryOperation(string? From, string? To, SimulatedFile? File);
