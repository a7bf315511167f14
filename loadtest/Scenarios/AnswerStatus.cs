namespace RaftFast.LoadTest.Scenarios;

public enum AnswerStatus
{
    Complete,

    /// <summary>Valid so far; more bytes are needed.</summary>
    Incomplete,

    /// <summary>No further bytes can make it valid, or this client doesn't know how to read it.</summary>
    Invalid,
}
