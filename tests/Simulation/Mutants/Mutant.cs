namespace RaftFast.Simulation.Mutants;

/// <summary>A deliberate bug: one changed place in the sources.</summary>
/// <param name="Breaks">Promise that the mutated program no longer keeps.</param>
/// <param name="File">Path below src.</param>
/// <param name="Text">Text that stands in the file exactly once.</param>
internal sealed record Mutant(string Name, string Breaks, string File, string Text, string Replacement)
{
    /// <summary>Project that must be built again.</summary>
    public string Project => File.StartsWith("Server/Node/", StringComparison.Ordinal)
        ? "Server/Node"
        : File[..File.IndexOf('/', StringComparison.Ordinal)];

    /// <returns>Null if the text does not stand in the file exactly once: the mutant is out of date.</returns>
    public string? Apply(string source)
    {
        int at = source.IndexOf(Text, StringComparison.Ordinal);
        return at >= 0 && source.IndexOf(Text, at + 1, StringComparison.Ordinal) < 0
            ? string.Concat(source.AsSpan(0, at), Replacement, source.AsSpan(at + Text.Length))
            : null;
    }
}
