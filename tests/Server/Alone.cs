namespace RaftFast.Server.Tests;

/// <summary>Tests that count what the whole process allocates, or need its processors: nothing runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
