using System.Reflection;

namespace RaftFast.Server.Lifetime;

internal static class ProgramVersion
{
    /// <summary>Version of this program, as <c>--version</c> prints it.</summary>
    public static string Text { get; } = typeof(ProgramVersion).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
