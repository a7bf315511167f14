using System.CommandLine;

namespace RaftFast.Server.CommandLine;

/// <summary>A flag whose value is the path of a file.</summary>
internal static class FileOption
{
    public static Option<string> Create(string name, string description) => new(name)
    {
        HelpName = "FILE",
        Description = description,
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = argument =>
        {
            string text = argument.Tokens.Count == 0 ? "" : argument.Tokens[^1].Value;
            if (text.Length == 0)
                argument.AddError($"{name} is empty; it must be the path of a file");
            return text;
        },
    };
}
