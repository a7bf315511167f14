// Stubs of NBomber 4.1.2: shapes of the types in NBomber.Contracts that loadtest/NBomber uses.
namespace NBomber.Contracts
{
    internal interface IResponse;

    internal interface IScenarioContext
    {
        ScenarioInfo ScenarioInfo { get; }
    }

    internal enum ScenarioOperation
    {
        Init,
        Clean,
        WarmUp,
        Bombing,
    }

    internal sealed class ScenarioInfo
    {
        public ScenarioOperation ScenarioOperation { get; init; }
    }

    internal sealed class Response<T> : IResponse
    {
        public bool IsError { get; init; }

        public string StatusCode { get; init; } = "";

        public string Message { get; init; } = "";
    }

    internal sealed class ScenarioProps;

    internal sealed class LoadSimulation;

    internal interface IScenarioInitContext;
}

namespace NBomber.Contracts.Stats
{
    internal enum ReportFormat
    {
        Txt,
        Html,
        Csv,
        Md,
    }

    internal sealed class NodeStats
    {
        public ScenarioStats[] ScenarioStats { get; init; } = [];
    }

    internal sealed class ScenarioStats
    {
        public MeasurementStats Fail { get; init; } = new();
    }

    internal sealed class MeasurementStats
    {
        public RequestStats Request { get; init; } = new();
    }

    internal sealed class RequestStats
    {
        public int Count { get; init; }
    }
}
