namespace RaftFast.LoadTest.Simulations;

/// <summary>
/// Kind and amount of load, in NBomber's words. Copies are a closed loop: each copy begins its next iteration when the
/// previous one has ended. Injected iterations are an open loop: they are due at fixed times, whether or not earlier
/// iterations have been answered.
/// </summary>
internal abstract record LoadSimulation(TimeSpan During);

internal sealed record KeepConstant(int Copies, TimeSpan During) : LoadSimulation(During);

/// <summary>
/// A closed loop that changes steadily from the previous simulation's copies, or none, to <paramref name="Copies"/>.
/// </summary>
internal sealed record RampingConstant(int Copies, TimeSpan During) : LoadSimulation(During);

/// <summary>An open loop at a constant rate.</summary>
/// <param name="Rate">Iterations in each <paramref name="Interval"/>, evenly spread.</param>
internal sealed record Inject(int Rate, TimeSpan Interval, TimeSpan During) : LoadSimulation(During);

/// <summary>
/// An open loop that changes steadily from the previous simulation's rate, or none, to <paramref name="Rate"/>.
/// </summary>
internal sealed record RampingInject(int Rate, TimeSpan Interval, TimeSpan During) : LoadSimulation(During);

internal sealed record Pause(TimeSpan During) : LoadSimulation(During);
