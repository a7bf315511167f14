using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Tour;

/// <param name="Text">The command, or the heading's text.</param>
/// <param name="Expected">What the README shows below a command, or null when it shows no output: then any will do.</param>
/// <param name="Ports">A server's: it is up when these answer.</param>
internal sealed record ReadmeStep(ReadmeStepKind Kind, int Line, string Text, string? Expected, int[] Ports);
