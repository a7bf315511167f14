namespace RaftFast.LoadTest.Simulations;

/// <summary>
/// How much load there is, and of which kind, in NBomber's words. Copies are a closed loop: each begins its next iteration when
/// the last has ended. What is injected is an open loop: iterations are due at fixed times, whether or not earlier ones have
/// been answered.
/// </summary>
internal abstract record LoadSimulation(TimeSpan During);

internal sealed record KeepConstant(int Copies, TimeSpan During) : LoadSimulation(During);

/// <summary>From the copies of the simulation before, or none, to these.</summary>
internal sealed record RampingConstant(int Copies, TimeSpan During) : LoadSimulation(During);

/// <param name="Rate">Iterations in each <paramref name="Interval"/>, evenly spread.</param>
internal sealed record Inject(int Rate, TimeSpan Interval, TimeSpan During) : LoadSimulation(During);

/// <summary>From the rate of the simulation before, or none, to this one.</summary>
internal sealed record RampingInject(int Rate, TimeSpan Interval, TimeSpan During) : LoadSimulation(During);

internal sealed record Pause(TimeSpan During) : LoadSimulation(During);
