namespace RaftFast.LoadTest.Report;

/// <summary>What was demanded and what it was.</summary>
internal readonly record struct ThresholdResult(string Text, bool IsHeld, string Actual);
