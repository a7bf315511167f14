namespace RaftFast.EndToEnd.Tests.Kit;

internal enum WriteOutcome
{
    /// <summary>204: it happened, for good.</summary>
    Acknowledged,

    /// <summary>503, or never sent: it did not happen and never will.</summary>
    Refused,

    /// <summary>504, or no answer: it may happen, now or later.</summary>
    Unknown,
}
