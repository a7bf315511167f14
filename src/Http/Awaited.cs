namespace RaftFast.Http;

/// <summary>What a connection waits for its client to do.</summary>
internal enum Awaited : byte
{
    Nothing,
    Request,
    Headers,
    Body,
    Flush,
    Close,
}
