using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>A message on the simulated wire, with its entries.</summary>
internal sealed record Envelope(Message Message, Entry[] Entries);

/// <summary>
/// One server: a core, and a disk that holds the synced writes. The server keeps the contract of the core's caller.
/// Writes go to the disk in order. Messages and appends wait until the hard state at their creation is synced. The
/// leader proposes every <see cref="RaftCore.NextConfiguration"/>.
/// </summary>
internal sealed class TestServer
{
    private readonly ClusterConfiguration configuration;
    private readonly RaftOptions options;
    private readonly Random random;
    private readonly Action<Envelope> send;
    private readonly List<Entry> stableLog = [];
    private readonly Queue<Write> writes = new();
    private readonly Queue<LogPosition> completions = new();
    private readonly Queue<(long After, Envelope Envelope)> outbox = new();
    private HardState stable;
    private HardState submittedState;
    private long submitted;
    private long synced;
    private long stateWrite;
    private long committed;
    private long handOverTerm;
    private long ledTerm;

    public TestServer(
        ulong id, ClusterConfiguration configuration, RaftOptions options, Random random, Action<Envelope> send)
    {
        Id = id;
        this.configuration = configuration;
        this.options = options;
        this.random = random;
        this.send = send;
        Core = Recover();
    }

    public ulong Id { get; }

    public RaftCore Core { get; private set; }

    public bool IsUp { get; private set; } = true;

    /// <summary>A stalled disk syncs nothing.</summary>
    public bool DiskIsStalled { get; set; }

    /// <summary>All the entries of the log, synced or not.</summary>
    public List<Entry> Log { get; } = [];

    public IReadOnlyList<Entry> StableLog => stableLog;

    /// <summary>Entries applied since the last start.</summary>
    public List<Entry> Applied { get; } = [];

    public List<ReadState> Reads { get; } = [];

    public HardState Stable => stable;

    /// <summary>The synced vote of each term.</summary>
    public Dictionary<long, ulong> Votes { get; } = [];

    /// <summary>
    /// Commits that this server made as leader since the last check: the index, and the configuration whose majority
    /// counted.
    /// </summary>
    public List<(long Index, ConfigurationState Configuration)> Commits { get; } = [];

    public bool HasDiskWork => !DiskIsStalled && (writes.Count > 0 || completions.Count > 0);

    /// <summary>Number that changes at each change of the log.</summary>
    public long LogVersion { get; private set; }

    /// <summary>Number of appends that overwrote entries.</summary>
    public int Truncations { get; private set; }

    /// <summary>Number of overwritten entries that were configurations.</summary>
    public int RolledBack { get; private set; }

    /// <summary>Number of elections won because the leader handed over.</summary>
    public int HandOversWon { get; private set; }

    /// <summary>Configuration in effect when this server last became leader.</summary>
    public ConfigurationState ElectedIn { get; private set; } = new(Configurations.Cluster([]));

    /// <summary>Configuration in effect before the first entry.</summary>
    public ClusterConfiguration Initial => configuration;

    public string Terms => string.Join(' ', Log.Select(entry => entry.Position.Term));

    public void Tick(int count = 1)
    {
        for (int i = 0; i < count; i++)
        {
            Core.Tick();
            Collect();
        }
    }

    public void Receive(Envelope envelope)
    {
        long term = Core.Term;
        EntryRange taken = Core.Step(
            envelope.Message,
            [.. envelope.Entries.Select(entry => entry.Header)],
            [.. envelope.Entries.Select(entry => entry.Configuration)]);
        if (envelope.Message.Type == MessageType.TimeoutNow && Core.Term > term)
            handOverTerm = Core.Term;
        if (!taken.IsEmpty)
        {
            int first = (int)(taken.First - envelope.Message.Position.Index) - 1;
            Entry[] entries = envelope.Entries[first..];
            Assert.Equal(taken.Last, entries[^1].Position.Index);
            Assert.False(Core.IsLeader); // Leader Append-Only (figure 3)
            Truncations += taken.First <= Log.Count ? 1 : 0;
            RolledBack += Log.Skip((int)taken.First - 1).Count(entry => entry.Configuration is not null);
            Log.RemoveRange((int)taken.First - 1, Log.Count - (int)taken.First + 1);
            Take(entries);
        }
        Collect();
    }

    public ProposeResult Propose(uint command = 0, int payloadLength = 8)
    {
        RecordHeader entry = new(RecordType.Command, new(Core.Term, Core.Log.Last.Index + 1), payloadLength, command);
        ProposeResult result = Core.Propose(entry.RecordLength);
        if (result == ProposeResult.Accepted)
            Take([entry]);
        Collect();
        return result;
    }

    /// <summary>Proposes a configuration. The leader must be allowed to change it now.</summary>
    public void Propose(ClusterConfiguration next)
    {
        Append(next);
        Collect();
    }

    public bool HandOver()
    {
        bool isBegun = Core.HandOver();
        Collect();
        return isBegun;
    }

    public bool RequestRead(long context)
    {
        bool isAsked = Core.RequestRead(context);
        Collect();
        return isAsked;
    }

    public void PeerLost(ulong peer)
    {
        Core.MessagesMayBeLost(peer);
        Collect();
    }

    /// <summary>Completes the oldest write, without telling the core.</summary>
    public void SyncOne()
    {
        if (writes.Count == 0)
            return;
        Write write = writes.Dequeue();
        Perform(write);
        if (write.Entries.Length > 0)
            completions.Enqueue(write.Entries[^1].Position);
        Send();
    }

    /// <summary>Tells the core of the oldest completion that the core has not been told of.</summary>
    public void ReportOne()
    {
        if (completions.Count == 0)
            return;
        Core.DurableTo(completions.Dequeue());
        Collect();
    }

    public void SyncAll()
    {
        while (HasDiskWork)
        {
            SyncOne();
            ReportOne();
        }
    }

    /// <param name="writesKept">Number of unsynced writes that reach the disk nevertheless.</param>
    public void Crash(int writesKept = 0)
    {
        for (; writesKept > 0 && writes.Count > 0; writesKept--)
            Perform(writes.Dequeue());
        IsUp = false;
        writes.Clear();
        completions.Clear();
        outbox.Clear();
    }

    public void Restart()
    {
        Assert.False(IsUp);
        IsUp = true;
        Core = Recover();
        Collect();
    }

    private RaftCore Recover()
    {
        TermRuns runs = new();
        ConfigurationHistory configurations = new(configuration);
        foreach (Entry entry in stableLog)
        {
            runs.Append(entry.Position);
            if (entry.Configuration is not null)
                configurations.Append(entry.Position.Index, entry.Configuration);
        }
        Log.Clear();
        Log.AddRange(stableLog);
        LogVersion++;
        Applied.Clear();
        Reads.Clear();
        submitted = synced = stateWrite = 0;
        committed = 0;
        submittedState = stable;
        return new RaftCore(Id, configurations, options, stable, runs, random);
    }

    private void Append(ClusterConfiguration next)
    {
        // Thesis §4.1, and the bug in single-server changes: an entry of the leader's own term is committed.
        Assert.Equal(Core.Term, Core.Log.TermAt(Core.Log.Committed));
        Entry entry = Entry.Of(next, new(Core.Term, Core.Log.Last.Index + 1));
        Core.ProposeConfiguration(next, entry.RecordLength);
        Take([entry]);
    }

    private void Take(Entry[] entries)
    {
        Log.AddRange(entries);
        LogVersion++;
        SubmitStateIfNew();
        writes.Enqueue(new Write(++submitted, submittedState, entries));
    }

    private void SubmitStateIfNew()
    {
        if (Core.HardState == submittedState)
            return;
        submittedState = Core.HardState;
        stateWrite = ++submitted;
        writes.Enqueue(new Write(submitted, submittedState, []));
    }

    private void Perform(Write write)
    {
        // Terms never decrease, and a vote, once given, stays for its term (figure 2).
        Assert.True(write.State.Term >= stable.Term);
        if (write.State.Term == stable.Term && stable.Vote != 0)
            Assert.Equal(stable.Vote, write.State.Vote);
        stable = write.State;
        if (stable.Vote != 0)
            Votes[stable.Term] = stable.Vote;
        synced = write.Number;
        if (write.Entries.Length == 0)
            return;
        int first = (int)write.Entries[0].Position.Index - 1;
        stableLog.RemoveRange(first, stableLog.Count - first);
        stableLog.AddRange(write.Entries);
    }

    private void Collect()
    {
        if (Core.IsLeader && Core.Term > ledTerm)
            BecameLeader();
        if (Core.IsLeader && Core.Log.Committed > committed)
            Commits.Add((Core.Log.Committed, Core.Configuration));
        while (Log.Count < Core.Log.Last.Index)
            Take([new RecordHeader(RecordType.NoOp, new(Core.Term, Log.Count + 1), 0, 0)]);
        if (Core.NextConfiguration() is { } next)
            Append(next);
        Core.EndBatch();
        Assert.Equal(Core.Log.Last.Index, Log.Count);
        SubmitStateIfNew();
        foreach (Message message in Core.Ready.Messages)
            outbox.Enqueue((stateWrite, new Envelope(message, [])));
        Reads.AddRange(Core.Ready.Reads);
        Core.Ready.Messages.Clear();
        Core.Ready.Reads.Clear();
        Send();
        Assert.True(Core.Log.Committed >= committed);
        committed = Core.Log.Committed;
        for (int i = Applied.Count; i < committed; i++)
            Applied.Add(Log[i]);
        Core.AppliedTo(committed);
    }

    private void BecameLeader()
    {
        ledTerm = Core.Term;
        ElectedIn = Core.Configuration;
        HandOversWon += Core.Term == handOverTerm ? 1 : 0;
    }

    private void Send()
    {
        while (outbox.TryPeek(out var held) && held.After <= synced)
            send(outbox.Dequeue().Envelope);
        if (stateWrite > synced)
            return;
        foreach (ulong peer in Core.Configuration.Servers)
        {
            while (peer != Id && Core.TryNextAppend(peer, out Message append))
                SendAppend(append);
        }
    }

    private void SendAppend(in Message append)
    {
        Assert.Equal(stable, Core.HardState); // figure 2: durable before any message that depends on it
        int first = (int)append.Position.Index;
        int count = 0;
        int bytes = 0;
        while (first + count < Log.Count
            && (count == 0 || bytes + Log[first + count].RecordLength <= options.AppendBytesMax))
            bytes += Log[first + count++].RecordLength;
        send(new Envelope(append with { Count = count }, [.. Log.GetRange(first, count)]));
        Core.AppendSent(append.To, count, bytes);
    }

    private sealed record Write(long Number, HardState State, Entry[] Entries);
}
