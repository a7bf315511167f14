namespace RaftFast.Simulation.Mutants;

/// <summary>A deliberate bug: one place in the product, changed.</summary>
/// <param name="Breaks">The promise that the product no longer keeps.</param>
/// <param name="File">Below src.</param>
/// <param name="Text">Stands in the file exactly once.</param>
internal sealed record Mutant(string Name, string Breaks, string File, string Text, string Replacement)
{
    /// <summary>The project that has to be built anew.</summary>
    public string Project => File.StartsWith("Server/Node/", StringComparison.Ordinal)
        ? "Server/Node"
        : File[..File.IndexOf('/', StringComparison.Ordinal)];

    /// <returns>Null when the text isn't there exactly once: the mutant has rotted.</returns>
    public string? Apply(string source)
    {
        int at = source.IndexOf(Text, StringComparison.Ordinal);
        return at >= 0 && source.IndexOf(Text, at + 1, StringComparison.Ordinal) < 0
            ? string.Concat(source.AsSpan(0, at), Replacement, source.AsSpan(at + Text.Length))
            : null;
    }
}
