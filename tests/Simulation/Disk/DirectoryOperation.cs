namespace RaftFast.Simulation.Disk;

/// <summary>A change of the directory that no SyncDirectory has covered yet.</summary>
/// <param name="From">The name that goes, if any.</param>
/// <param name="To">The name that comes, if any, with its file.</param>
internal readonly record struct DirectoryOperation(string? From, string? To, SimulatedFile? File);
