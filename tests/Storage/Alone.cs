namespace RaftFast.Storage.Tests;

/// <summary>Tests that count what a thread allocates: nothing runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
