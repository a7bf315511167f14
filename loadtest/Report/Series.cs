namespace RaftFast.LoadTest.Report;

/// <summary>One line of a chart.</summary>
/// <param name="Color">Of CSS.</param>
internal sealed record Series(string Name, string Color, IReadOnlyList<(double X, double Y)> Points);
