namespace RaftFast.LoadTest.Measurement;

/// <summary>What happened in one short interval of a run, of all steps together.</summary>
/// <param name="At">The interval's end, since recording began.</param>
/// <param name="Longest">Zero, as the others, if nothing was Ok.</param>
internal readonly record struct Sample(
    TimeSpan At, TimeSpan Length, long Ok, long Failed, TimeSpan Median, TimeSpan NinetyNinth, TimeSpan Longest);
