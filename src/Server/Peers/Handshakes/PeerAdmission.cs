using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>
/// Decides which connections this node accepts. A node of the same cluster is accepted if it was never removed and
/// comes with the data directory with which it was met (<see cref="MetDirectories"/>). The log may not name that node
/// yet: the node may be a new leader. To a node that joins, every member is a stranger. Safe on any thread.
/// </summary>
internal sealed class PeerAdmission(NodeIdentity identity, MetDirectories met, TimeProvider time, ILogger logger)
{
    /// <summary>
    /// Time after which a stranger that has not dialled again gives its place to another, if all places are taken.
    /// </summary>
    internal static readonly TimeSpan StrangerPeriod = TimeSpan.FromMinutes(10);

    /// <summary>Held while a meeting is written to the disk.</summary>
    private readonly Lock gate = new();

    /// <summary>Time of each stranger's last handshake. Locked for a few instructions only.</summary>
    private readonly Dictionary<ulong, long> lastMet = [];
    private readonly long start = time.GetTimestamp();
    private volatile ClusterConfiguration committed = identity.Configuration;

    /// <summary>
    /// Refuses, from now on, the members that are removed in <paramref name="committed"/>. Never waits.
    /// </summary>
    public void Update(ClusterConfiguration committed) => this.committed = committed;

    public bool WasRemoved(ulong id) => committed.WasRemoved(id);

    /// <summary>True if the node was admitted, and has not given its place to another.</summary>
    public bool IsKnown(ulong id) => Array.BinarySearch(met.Members, id) >= 0;

    /// <summary>
    /// Does the same as <see cref="Judge"/>. If the judgement waits for the disk, it runs on a thread of its own.
    /// </summary>
    public async ValueTask<HandshakeStatus> JudgeAsync(Handshake handshake, uint version)
    {
        if (JudgeMember(handshake, version) is var refusal and not HandshakeStatus.Accepted)
            return refusal;
        if (met.Knows(handshake.From, handshake.Directory, handshake.HasPromised))
        {
            Note(handshake.From);
            return HandshakeStatus.Accepted;
        }
        HandshakeStatus status = default;
        await BackgroundTask.RunOnThread(ThreadNames.Admit, () => status = Judge(handshake, version));
        return status;
    }

    /// <summary>
    /// Records that no other directory may replace the node's directory. Durable when the call returns. Called before a
    /// vote or an acknowledgement of the node is counted, or a vote is given to the node.
    /// </summary>
    /// <returns>False if the node's directory has been replaced meanwhile, or can't be recorded.</returns>
    public bool Keep(ulong id, ulong directory)
    {
        if (met.Knows(id, directory, hasPromised: true))
            return true;
        lock (gate)
            return !WasRemoved(id) && Meet(id, directory, hasPromised: true) == HandshakeStatus.Accepted;
    }

    /// <summary>Does the same as <see cref="Keep"/> on a thread of its own.</summary>
    public async Task<bool> KeepAsync(ulong id, ulong directory)
    {
        bool isKept = false;
        await BackgroundTask.RunOnThread(ThreadNames.Admit, () => isKept = Keep(id, directory));
        return isKept;
    }

    /// <summary>Judges a handshake. Records a first meeting on stable storage before it returns.</summary>
    /// <param name="version">
    /// The peer's version. A version other than <see cref="Handshake.Version"/> is refused at once.
    /// </param>
    public HandshakeStatus Judge(in Handshake handshake, uint version)
    {
        HandshakeStatus status = JudgeMember(handshake, version);
        if (status != HandshakeStatus.Accepted)
            return status;
        lock (gate)
        {
            return HasRoomFor(handshake.From)
                ? Meet(handshake.From, handshake.Directory, handshake.HasPromised)
                : HandshakeStatus.UnknownMember;
        }
    }

    private HandshakeStatus JudgeMember(in Handshake handshake, uint version)
    {
        if (version != Handshake.Version)
            return HandshakeStatus.UnsupportedVersion;
        if (handshake.ClusterId != identity.Configuration.ClusterId)
            return HandshakeStatus.WrongCluster;
        if (handshake.To != (handshake.Kind == ConnectionKind.Hint ? 0 : identity.MemberId))
            return HandshakeStatus.WrongMember;
        if (handshake.From == 0 || handshake.From == identity.MemberId)
            return HandshakeStatus.UnknownMember;
        return WasRemoved(handshake.From) ? HandshakeStatus.Removed : HandshakeStatus.Accepted;
    }

    private HandshakeStatus Meet(ulong id, ulong directory, bool hasPromised)
    {
        try
        {
            if (!met.IsAsMet(id, directory, hasPromised))
                return HandshakeStatus.DirectoryReplaced;
            Note(id);
            return HandshakeStatus.Accepted;
        }
        catch (DiskFullException full)
        {
            PeerLogLines.CannotRemember(logger, id, full.Message);
            return HandshakeStatus.UnknownMember;
        }
    }

    private void Note(ulong id)
    {
        if (committed.Find(id) is not null)
            return;
        lock (lastMet)
            lastMet[id] = time.GetTimestamp();
    }

    /// <summary>True if the node's directory may still be recorded. Strangers never take the room of members.</summary>
    private bool HasRoomFor(ulong id)
    {
        if (IsKnown(id))
            return true;
        ClusterConfiguration configuration = committed;
        met.Forget(configuration.RemovedIds);
        ulong[] known = met.Members;
        if (configuration.Find(id) is not null)
            return known.Length < PeerOptions.PeersMax;
        ulong[] strangers = Array.FindAll(known, other => configuration.Find(other) is null);
        return strangers.Length < PeerOptions.PeersMax - ClusterConfiguration.MembersMax || TryForget(strangers);
    }

    /// <summary>Forgets the stranger that was met least recently, if that was long ago.</summary>
    private bool TryForget(ulong[] strangers)
    {
        lock (lastMet)
        {
            ulong oldest = 0;
            long longestAgo = long.MaxValue;
            foreach (ulong stranger in strangers)
            {
                long last = lastMet.GetValueOrDefault(stranger, start);
                (oldest, longestAgo) = last < longestAgo ? (stranger, last) : (oldest, longestAgo);
            }
            if (time.GetElapsedTime(longestAgo) < StrangerPeriod)
                return false;
            lastMet.Remove(oldest);
            met.Forget([oldest]);
            return true;
        }
    }
}
