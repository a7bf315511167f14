using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>
/// Compares this member's state with the other members' (State Machine Safety, figure 3: states at one index are
/// equal). The leader asks now and then; each member then sends all others the digest of its state at the leader's
/// index. A member stops if a majority agrees on another digest. A leader hands over if more voters agree on another
/// digest than on its own, because without a majority nobody stops. The term does not matter: in every term, the same
/// entries are applied up to an index.
/// </summary>
/// <param name="period">Ticks between two questions of the leader.</param>
internal sealed partial class StateComparison(
    RaftCore core, StateMachine state, IPeerNetwork network, int period, ILogger logger)
{
    /// <summary>
    /// Lowest <see cref="KeyCommand.Version"/> that knows the message. An older member would end the connection.
    /// </summary>
    private const int VersionMin = 3;

    /// <summary>Maximum nodes whose version is kept: more than a cluster has.</summary>
    private const int KnowingMax = 256;

    /// <summary>Nodes that have announced such a version on their present connection to this node.</summary>
    private readonly List<ulong> knowing = [];

    /// <summary>Digests of other members at <see cref="index"/>.</summary>
    private readonly Dictionary<ulong, UInt128> others = [];

    /// <summary>Members whose difference the operator was told of, until they agree again.</summary>
    private readonly List<ulong> told = [];

    /// <summary>Index at which states are compared: the latest that this member was told, or asked about.</summary>
    private long index;

    /// <summary>Digest of this member's state at <see cref="index"/>.</summary>
    private UInt128 own;

    /// <summary>Store that <see cref="own"/> is of; null if it is not known. An install replaces the store.</summary>
    private KeyValueStore? ownStore;

    /// <summary>True while the others wait for this member's digest at <see cref="index"/>.</summary>
    private bool isAsked;

    /// <summary>True while this leader has to ask the others.</summary>
    private bool isDue;

    private int ticks;
    private long made;
    private long differed;
    private long comparedIndex;

    public ComparisonCounts Counts => new(made, differed, comparedIndex);

    private bool IsOwnKnown => ownStore is not null && ownStore == state.Store;

    public void OnTick()
    {
        if (++ticks < period)
            return;
        ticks = 0;
        isDue = core.IsLeader;
    }

    /// <summary>
    /// Another node has connected. If the node has just started, its state comes from its disk: the next question is
    /// due soon.
    /// </summary>
    public void OnPeerAnnounced(ulong peer, int version)
    {
        ticks = Math.Max(ticks, period - (period / 10));
        knowing.Remove(peer);
        if (version >= VersionMin && knowing.Count < KnowingMax)
            knowing.Add(peer);
    }

    /// <summary>The peer's connection has ended. The peer may come back with an older version.</summary>
    public void OnAnswersLost(ulong peer) => knowing.Remove(peer);

    /// <summary>Another member tells its digest, and may ask for this member's.</summary>
    public void OnMessage(in Message message)
    {
        long at = message.Position.Index;
        if (at < index || core.Configuration.OrdinalOf(message.From) < 0)
            return;
        CompareAt(at);
        isAsked |= message.Count == 1;
        others[message.From] = message.Digest;
        if (IsOwnKnown)
            Compare(message.From, message.Digest);
    }

    /// <summary>Asks, if this leader has to, and tells the others this member's digest, once it is known.</summary>
    public void EndBatch()
    {
        bool asks = isDue && core.IsLeader && core.Log.Applied >= Math.Max(index, 1);
        if (asks)
        {
            // The answers to the last question have had a period to come.
            if (IsOwnKnown)
                HandOverIfOutnumbered();
            CompareAt(core.Log.Applied);
        }
        if (!IsOwnKnown && state.TryDigestAt(index, out own))
        {
            ownStore = state.Store;
            foreach (ulong member in core.Configuration.Servers)
            {
                if (others.TryGetValue(member, out UInt128 digest))
                    Compare(member, digest);
            }
        }
        if (!IsOwnKnown || !(asks || isAsked))
            return;
        isDue = isAsked = false;
        Tell(asks);
    }

    private void CompareAt(long latest)
    {
        if (latest == index)
            return;
        index = latest;
        others.Clear();
        ownStore = null;
        isAsked = false;
    }

    /// <param name="asks">True if the other members are to send their digests to all.</param>
    private void Tell(bool asks)
    {
        foreach (ulong member in core.Configuration.Servers)
        {
            if (!knowing.Contains(member))
                continue;
            Message message = new()
            {
                Type = MessageType.StateHash,
                From = core.Id,
                To = member,
                Position = new(0, index),
                Digest = own,
                Count = asks ? 1 : 0,
            };
            network.Send(message, default);
        }
    }

    /// <exception cref="StateDiffersException">A majority agrees on another digest than this member's.</exception>
    private void Compare(ulong member, UInt128 digest)
    {
        made++;
        comparedIndex = index;
        if (digest == own)
        {
            told.Remove(member);
            return;
        }
        differed++;
        if (MajorityAgreesOn(digest))
            throw new StateDiffersException(Describe(digest));
        if (told.Contains(member))
            return;
        told.Add(member);
        LogDiffers(logger, member, index);
    }

    /// <summary>
    /// True if a majority of the voters has this digest; in a joint configuration, a majority of each voter set (§6).
    /// </summary>
    private bool MajorityAgreesOn(UInt128 digest)
    {
        ConfigurationState configuration = core.Configuration;
        QuorumAnswer[] answers = new QuorumAnswer[configuration.Servers.Length];
        for (int i = 0; i < answers.Length; i++)
        {
            ulong member = configuration.Servers[i];
            if (member == core.Id)
                answers[i] = QuorumAnswer.Rejected;
            else if (others.TryGetValue(member, out UInt128 other))
                answers[i] = other == digest ? QuorumAnswer.Granted : QuorumAnswer.Rejected;
        }
        return !configuration.Voters.IsEmpty && Quorum.Count(configuration, answers) == QuorumResult.Won;
    }

    /// <summary>
    /// Hands over to a voter whose digest more voters have than this leader's. A leader in the wrong would keep serving
    /// its state, and could give it to others in a snapshot.
    /// </summary>
    private void HandOverIfOutnumbered()
    {
        int agreeing = 1 + VotersWith(own);
        foreach (ulong member in core.Configuration.Servers)
        {
            bool outnumbers = others.TryGetValue(member, out UInt128 digest) && digest != own
                && core.Configuration.IsVoter(member) && VotersWith(digest) > agreeing;
            if (!outnumbers || core.HandOverTo(member) != HandOverStart.Begun)
                continue;
            LogHandsOver(logger, member, index);
            return;
        }
    }

    /// <returns>Number of other voters with this digest.</returns>
    private int VotersWith(UInt128 digest)
    {
        int count = 0;
        foreach ((ulong member, UInt128 other) in others)
            count += other == digest && core.Configuration.IsVoter(member) ? 1 : 0;
        return count;
    }

    private string Describe(UInt128 digest)
    {
        List<string> agreeing = [];
        foreach (ulong member in core.Configuration.Servers)
        {
            if (others.TryGetValue(member, out UInt128 other) && other == digest)
                agreeing.Add(member.ToString(CultureInfo.InvariantCulture));
        }
        return $"the state of member {core.Id} at entry {index} differs from the state of a majority, members "
            + $"{string.Join(", ", agreeing)}: its data is not to be trusted, so it stops. Keep its data directory for "
            + $"an examination; remove the member (DELETE /{core.Id} at another member), then add the node under a new "
            + "id, with --join and an empty --data-dir";
    }

    [LoggerMessage(LogLevel.Error,
        "the state of member {Id} at entry {Index} differs from this member's; the member that a majority contradicts "
        + "stops; if none stops, no majority agrees: compare GET /v1/hash of all members, and restore a backup")]
    private static partial void LogDiffers(ILogger logger, ulong id, long index);

    [LoggerMessage(LogLevel.Warning,
        "handing over to member {Id}: at entry {Index} more members agree on its state than on this member's")]
    private static partial void LogHandsOver(ILogger logger, ulong id, long index);
}

/// <summary>Comparisons since the process started.</summary>
/// <param name="Made">Comparisons of this member's state with another member's.</param>
/// <param name="Differed">Comparisons that found different states.</param>
/// <param name="Index">Index of the last comparison; 0 before the first.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ComparisonCounts(long Made, long Differed, long Index);
