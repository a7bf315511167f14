namespace RaftFast.Server.Tests.Functional;

internal sealed record Write(string Target, string Value, WriteOutcome Outcome);
