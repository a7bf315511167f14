namespace RaftFast.Simulation.Disk;

/// <summary>The process has died in the middle of an operation. Only the simulated server that ran it catches this.</summary>
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
