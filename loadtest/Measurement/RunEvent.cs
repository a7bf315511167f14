namespace RaftFast.LoadTest.Measurement;

/// <summary>Something that was done to the servers.</summary>
/// <param name="At">Since recording began.</param>
internal readonly record struct RunEvent(TimeSpan At, string Text);
