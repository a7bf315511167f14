namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>Tests that start servers: one at a time, and after all others of this project.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RealProcesses
{
    public const string Name = "Real processes";
}
