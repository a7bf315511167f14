namespace RaftFast.Simulation.Disk;

/// <summary>
/// Thrown when the process dies in the middle of an operation. Only the simulated server that ran the operation catches
/// this exception.
/// </summary>
public sealed class SimulatedCrashException : Exception
{
    public SimulatedCrashException(string message) : base(message)
    {
    }

    public SimulatedCrashException()
    {
    }

    public SimulatedCrashException(string message, Exception inner) : base(message, inner)
    {
    }
}

/// <summary>Moment of a crash, relative to an operation or a message.</summary>
internal enum CrashMoment
{
    Before,
    During,
    After,
}
