using RaftFast.Http;

namespace RaftFast.Server.Node.Requests;

/// <summary>A write that has been sent nowhere yet.</summary>
/// <param name="Deadline">In the node's milliseconds.</param>
internal readonly record struct WaitingWrite(ClientRequest Request, long Deadline);
