namespace RaftFast.Linearizability.Tests;

internal enum Fate
{
    Answered,
    UnansweredButDone,
    UnansweredAndNotDone,
}
