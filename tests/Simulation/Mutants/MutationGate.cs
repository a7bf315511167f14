using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;

namespace RaftFast.Simulation.Mutants;

/// <summary>
/// Proves that the simulator notices bugs: applies each mutant to a copy of the sources, builds it, and runs it until
/// an invariant fails. The whole copy is built once. After that, each mutant needs a build of one project, while the
/// previous mutant runs.
/// </summary>
internal sealed partial class MutationGate : IDisposable
{
    /// <summary>Seeds after which a mutant counts as not found: then the simulator has a hole.</summary>
    private const int SeedsMax = 2000;

    /// <summary>Time limit: many times what the slowest machine needs for <see cref="SeedsMax"/> seeds.</summary>
    private static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(10);

    /// <summary>Files from which the simulation is built.</summary>
    private static readonly string[] Sources =
    [
        "src", "tests/Simulation", "tests/Linearizability", "tests/Directory.Build.props",
        "Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig",
    ];

    private readonly string copy = Directory.CreateTempSubdirectory("raftfast-mutants-").FullName;
    private readonly TextWriter output;

    private MutationGate(TextWriter output) => this.output = output;

    /// <summary>Root of the repository that this program was built in.</summary>
    public static string Root { get; } = FindRoot();

    /// <param name="only">Names of mutants; none for all.</param>
    /// <returns>True if every mutant was found.</returns>
    public static bool Run(TextWriter output, IReadOnlyList<string> only)
    {
        Stopwatch clock = Stopwatch.StartNew();
        using MutationGate gate = new(output);
        List<Mutant> mutants = [];
        foreach (Mutant mutant in MutantList.All)
        {
            if (only.Count == 0 || only.Contains(mutant.Name))
                mutants.Add(mutant);
        }
        int survived = gate.Run(mutants);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{mutants.Count} mutants, {survived} not found; {clock.Elapsed.TotalSeconds:N0} s"));
        return mutants.Count > 0 && survived == 0;
    }

    public void Dispose() => Directory.Delete(copy, recursive: true);

    private int Run(List<Mutant> mutants)
    {
        foreach (string source in Sources)
            Copy(Path.Combine(Root, source), Path.Combine(copy, source));
        if (!TryBuild("tests/Simulation", "", out string errors))
            throw new InvalidOperationException($"the copy in {copy} does not build:\n{errors}");
        using SemaphoreSlim processors = new(Environment.ProcessorCount);
        List<Task<Finding>> findings = [];
        int survived = 0;
        int told = 0;
        foreach (Mutant mutant in mutants)
        {
            findings.Add(Start(mutant, processors));
            for (; told < findings.Count && findings[told].IsCompleted; told++)
                survived += Tell(mutants[told], findings[told].Result);
        }
        for (; told < findings.Count; told++)
            survived += Tell(mutants[told], findings[told].Result);
        return survived;
    }

    /// <returns>1 if the mutant was not found.</returns>
    private int Tell(Mutant mutant, Finding finding)
    {
        string seed = finding.Seed is { } found ? $"seed {found}" : "NOT FOUND";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{mutant.Name,-36}{seed,-11}{finding.Seconds,5:N0} s  {finding.By}"));
        if (finding.Seed is null)
            output.WriteLine($"  it breaks: {mutant.Breaks}");
        return finding.Seed is null ? 1 : 0;
    }

    /// <summary>Builds a mutant, then starts its run. Only one build may be in progress at a time.</summary>
    private Task<Finding> Start(Mutant mutant, SemaphoreSlim processors)
    {
        string file = Path.Combine(copy, "src", mutant.File);
        string source = File.ReadAllText(file);
        if (mutant.Apply(source) is not { } mutated)
            return Rotted($"its text is not exactly once in src/{mutant.File}");
        File.WriteAllText(file, mutated);
        bool isBuilt = TryBuild($"src/{mutant.Project}", "--no-restore --no-dependencies", out string errors);
        File.WriteAllText(file, source);
        if (!isBuilt)
            return Rotted($"it does not compile\n{errors}");
        string program = Path.Combine(copy, mutant.Name);
        Copy(Path.Combine(copy, "tests/Simulation", Binaries), program);
        string assembly = mutant.Project == "Server"
            ? "raftfast.dll"
            : $"RaftFast.{mutant.Project.Replace('/', '.')}.dll";
        string built = Path.Combine(copy, "src", mutant.Project, Binaries, assembly);
        File.Copy(built, Path.Combine(program, assembly), overwrite: true);
        return Task.Run(() => Find(program, processors));
    }

    private static Task<Finding> Rotted(string why) =>
        Task.FromResult(new Finding(null, 0, $"is out of date, so change {nameof(MutantList)}.cs: {why}"));

    private static Finding Find(string program, SemaphoreSlim processors)
    {
        processors.Wait();
        try
        {
            Stopwatch clock = Stopwatch.StartNew();
            (int? code, string said) = Execute(
                program, $"raftfast-simulation.dll --from 1 --seeds {SeedsMax} --stop-at-first-failure");
            double seconds = clock.Elapsed.TotalSeconds;
            Match failure = FailureLine().Match(said);
            if (failure.Success)
            {
                ulong seed = ulong.Parse(failure.Groups[1].Value, CultureInfo.InvariantCulture);
                return Judge(seed, failure.Groups[2].Value, seconds);
            }
            string why = code switch
            {
                null => $"still running after {TimeMax.TotalMinutes} minutes",
                0 => $"{SeedsMax} seeds pass",
                _ => $"exit {code}\n{said}",
            };
            return new Finding(null, seconds, why);
        }
        finally
        {
            processors.Release();
        }
    }

    /// <summary>Discards a seed that fails without the mutant too, because it proves nothing.</summary>
    private static Finding Judge(ulong seed, string by, double seconds)
    {
        string? failure = Campaign.RunSeed(Scenario.Draw(seed, null), new Counters(), new RunTrace(null), null, out _);
        return failure is null
            ? new Finding(seed, seconds, by)
            : new Finding(null, seconds, $"seed {seed} fails without the mutant too: {failure}");
    }

    private bool TryBuild(string project, string options, out string said)
    {
        // Style and unused variables do not matter in a mutant.
        (int? code, said) = Execute(copy,
            $"build {project} -c Release --nologo -v q -m:1 " +
            $"-p:RunAnalyzers=false -p:TreatWarningsAsErrors=false {options}");
        return code == 0;
    }

    /// <returns>The exit code, or null at the time limit.</returns>
    private static (int? Code, string Said) Execute(string directory, string arguments)
    {
        ProcessStartInfo start = new("dotnet", arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> said = process.StandardOutput.ReadToEndAsync();
        Task<string> complained = process.StandardError.ReadToEndAsync();
        bool hasEnded = process.WaitForExit(TimeMax);
        if (!hasEnded)
            process.Kill(entireProcessTree: true);
        return (hasEnded ? process.ExitCode : null, said.Result + complained.Result);
    }

    private static string Binaries { get; } = Path.Combine("bin", "Release", "net10.0");

    private static void Copy(string from, string to)
    {
        if (File.Exists(from))
        {
            File.Copy(from, to);
            return;
        }
        Directory.CreateDirectory(to);
        foreach (string entry in Directory.EnumerateFileSystemEntries(from))
        {
            string name = Path.GetFileName(entry);
            if (name is not ("bin" or "obj"))
                Copy(entry, Path.Combine(to, name));
        }
    }

    private static string FindRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "RaftFast.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException(
            "mutants need the sources: run this program from the repository in which it was built");
    }

    [GeneratedRegex(@"^seed (\d+) FAILED: (.*)$", RegexOptions.Multiline)]
    private static partial Regex FailureLine();

    private readonly record struct Finding(ulong? Seed, double Seconds, string By);
}
