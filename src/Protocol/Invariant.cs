using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace RaftFast.Protocol;

/// <summary>
/// Checks properties that must hold for every input, in Release too. A violation is a bug and stops the process.
/// </summary>
public static class Invariant
{
    public static void Hold(
        [DoesNotReturnIf(false)] bool property,
        [CallerArgumentExpression(nameof(property))] string expression = "",
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        if (!property)
            Fail(expression, file, line);
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fail(string expression, string file, int line) =>
        throw new InvariantException($"invariant does not hold: {expression} ({Path.GetFileName(file)}:{line})");
}

/// <summary>Reports a bug. Only the outermost frame catches this exception; it prints the message and exits.</summary>
public sealed class InvariantException : Exception
{
    public InvariantException(string message) : base(message)
    {
    }

    public InvariantException(string message, Exception inner) : base(message, inner)
    {
    }

    public InvariantException()
    {
    }
}
