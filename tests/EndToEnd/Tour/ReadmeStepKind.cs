using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Tour;

internal enum ReadmeStepKind
{
    /// <summary>Runs to its end and prints what the README shows.</summary>
    Command,

    /// <summary>Runs until the next heading, where Ctrl-C ends it.</summary>
    Server,

    /// <summary>A heading: what was started above it stops.</summary>
    Heading,
}
