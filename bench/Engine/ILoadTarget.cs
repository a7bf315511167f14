namespace RaftFast.Engine;

/// <summary>A cluster, ready and with a leader: RaftFast's, or the one that it is compared with.</summary>
internal interface ILoadTarget : IAsyncDisposable
{
    /// <summary>What all members' logs have written so far; null if that can't be told.</summary>
    LogWrites? Writes { get; }

    /// <summary>Begins as many writes as the run says, and follows each that is done with another while the run says so.</summary>
    void Start(LoadRun run);
}
