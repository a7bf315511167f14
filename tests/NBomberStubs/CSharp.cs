// Stubs of NBomber 4.1.2: shapes of the members of NBomber.CSharp that loadtest/NBomber uses.
using NBomber.Contracts;
using NBomber.Contracts.Stats;

namespace NBomber.CSharp;

internal static class Scenario
{
    public static ScenarioProps Create(string name, Func<IScenarioContext, Task<IResponse>> run) => throw Stub.Called;

    public static ScenarioProps WithInit(this ScenarioProps scenario, Func<IScenarioInitContext, Task> init) =>
        throw Stub.Called;

    public static ScenarioProps WithLoadSimulations(
        this ScenarioProps scenario, params LoadSimulation[] loadSimulations) => throw Stub.Called;

    public static ScenarioProps WithRestartIterationOnFail(this ScenarioProps scenario, bool shouldRestart) =>
        throw Stub.Called;

    public static ScenarioProps WithMaxFailCount(this ScenarioProps scenario, int failCount) => throw Stub.Called;

    public static ScenarioProps WithWarmUpDuration(this ScenarioProps scenario, TimeSpan duration) =>
        throw Stub.Called;

    public static ScenarioProps WithoutWarmUp(this ScenarioProps scenario) => throw Stub.Called;
}

internal static class Step
{
    public static Task<Response<T>> Run<T>(string name, IScenarioContext context, Func<Task<Response<T>>> run) =>
        throw Stub.Called;
}

internal static class Response
{
    public static Response<object> Ok(string statusCode = "", long sizeBytes = 0, string message = "") =>
        throw Stub.Called;

    public static Response<object> Fail(string statusCode = "", string message = "", long sizeBytes = 0) =>
        throw Stub.Called;
}

internal static class Simulation
{
    public static LoadSimulation KeepConstant(int copies, TimeSpan during) => throw Stub.Called;

    public static LoadSimulation RampingConstant(int copies, TimeSpan during) => throw Stub.Called;

    public static LoadSimulation Inject(int rate, TimeSpan interval, TimeSpan during) => throw Stub.Called;

    public static LoadSimulation RampingInject(int rate, TimeSpan interval, TimeSpan during) => throw Stub.Called;

    public static LoadSimulation Pause(TimeSpan during) => throw Stub.Called;
}

internal sealed class NBomberContext;

internal static class NBomberRunner
{
    public static NBomberContext RegisterScenarios(params ScenarioProps[] scenarios) => throw Stub.Called;

    public static NBomberContext WithTestSuite(this NBomberContext context, string testSuite) => throw Stub.Called;

    public static NBomberContext WithTestName(this NBomberContext context, string testName) => throw Stub.Called;

    public static NBomberContext WithReportFolder(this NBomberContext context, string reportFolderPath) =>
        throw Stub.Called;

    public static NBomberContext WithReportFormats(this NBomberContext context, params ReportFormat[] reportFormats) =>
        throw Stub.Called;

    public static NodeStats Run(this NBomberContext context, params string[] args) => throw Stub.Called;
}

internal static class Stub
{
    public static Exception Called => new NotSupportedException("a stub of NBomber was called");
}
