using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest.Tests;

public sealed class SimulationParserTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static TheoryData<string, object> Valid => new()
    {
        { "KeepConstant(copies: 64, during: 10s)", new KeepConstant(64, 10 * Second) },
        { " KeepConstant ( 64 , 10s ) ", new KeepConstant(64, 10 * Second) },
        { "KeepConstant(during: 500ms, copies: 1)", new KeepConstant(1, Second / 2) },
        { "RampingConstant(copies: 1024, during: 2min)", new RampingConstant(1024, 120 * Second) },
        { "Inject(rate: 500, interval: 100ms, during: 1.5s)", new Inject(500, Second / 10, 1.5 * Second) },
        { "RampingInject(rate: 500, interval: 1s, during: 10s)", new RampingInject(500, Second, 10 * Second) },
        { "Pause(during: 1s)", new Pause(Second) },
    };

    [Theory]
    [MemberData(nameof(Valid))]
    public void Reads_a_simulation_written_like_a_call_in_CSharp(string text, object simulation)
    {
        Assert.Equal(simulation, SimulationParser.TryParse(text, out string? error));
        Assert.Null(error);
    }

    [Theory]
    [InlineData("", "is not a simulation")]
    [InlineData("KeepConstant", "is not a simulation")]
    [InlineData("KeepConstant(1, 1s", "is not a simulation")]
    [InlineData("Keep(1, 1s)", "is not a simulation")]
    [InlineData("KeepConstant(1)", "during is missing")]
    [InlineData("KeepConstant(1, 1s, 1s)", "'1s' is not one of its parameters")]
    [InlineData("KeepConstant(copies: 1, copies: 2, during: 1s)", "'copies: 2' is not one of its parameters")]
    [InlineData("KeepConstant(rate: 1, during: 1s)", "'rate: 1' is not one of its parameters")]
    [InlineData("KeepConstant(0, 1s)", "copies is '0'")]
    [InlineData("KeepConstant(1025, 1s)", "copies is '1025'")]
    [InlineData("KeepConstant(1.5, 1s)", "copies is '1.5'")]
    [InlineData("KeepConstant(1, 1)", "during is '1'")]
    [InlineData("KeepConstant(1, 11min)", "during is '11min'")]
    [InlineData("KeepConstant(1, 1.2.3s)", "during is '1.2.3s'")]
    [InlineData("Inject(rate: 1, interval: 0s, during: 1s)", "interval is '0s'")]
    [InlineData("Inject(rate: 1000, interval: 1ms, during: 1s)", "above 500000 a second")]
    public void A_mistake_says_what_is_wrong(string text, string message)
    {
        Assert.Null(SimulationParser.TryParse(text, out string? error));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }
}
