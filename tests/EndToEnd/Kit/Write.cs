namespace RaftFast.EndToEnd.Tests.Kit;

internal sealed record Write(string Target, string Value, WriteOutcome Outcome);
