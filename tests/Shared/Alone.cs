namespace RaftFast.Tests;

/// <summary>
/// Tests that count allocations, take times or need all processors. These tests run after the project's other tests,
/// one at a time.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
