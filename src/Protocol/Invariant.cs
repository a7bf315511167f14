using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace RaftFast.Protocol;

/// <summary>A property that must hold whatever arrives. Checked in Release; its failure is a bug and stops the process.</summary>
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
