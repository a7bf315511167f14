using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>One step of a change of configuration.</summary>
/// <param name="Address">Of AddVoter and AddLearner if the server is new, and of Move.</param>
public readonly record struct MemberEdit(MemberEditKind Kind, ulong Id, PeerAddress? Address = null);
