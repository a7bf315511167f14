using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>A message on the simulated wire, with the headers of the records that came with it.</summary>
internal sealed record Envelope(Message Message, RecordHeader[] Entries);

/// <summary>
/// One server: a core, and a disk that holds what has been synced. It keeps the caller's contract: writes go to the disk
/// in order; messages leave once the HardState of their moment is synced; appends are pulled and leave at once.
/// </summary>
internal sealed class TestServer
{
    private readonly ConfigurationState _configuration;
    private readonly RaftOptions _options;
    private readonly Random _random;
    private readonly Action<Envelope> _send;
    private readonly List<RecordHeader> _stableLog = [];
    private readonly Queue<Write> _writes = new();
    private readonly Queue<LogPosition> _completions = new();
    private readonly Queue<(long After, Envelope Envelope)> _outbox = new();
    private HardState _stable;
    private HardState _submittedState;
    private long _submitted;
    private long _synced;
    private long _stateWrite;
    private long _committed;

    public TestServer(ulong id, ConfigurationState configuration, RaftOptions options, Random random, Action<Envelope> send)
    {
        Id = id;
        _configuration = configuration;
        _options = options;
        _random = random;
        _send = send;
        Core = Recover();
    }

    public ulong Id { get; }

    public RaftCore Core { get; private set; }

    public bool IsUp { get; private set; } = true;

    /// <summary>A stalled disk syncs nothing.</summary>
    public bool DiskIsStalled { get; set; }

    /// <summary>All the entries of the log, synced or not.</summary>
    public List<RecordHeader> Log { get; } = [];

    public IReadOnlyList<RecordHeader> StableLog => _stableLog;

    /// <summary>What has been applied since the last start.</summary>
    public List<RecordHeader> Applied { get; } = [];

    public List<ReadState> Reads { get; } = [];

    public HardState Stable => _stable;

    public bool HasDiskWork => !DiskIsStalled && (_writes.Count > 0 || _completions.Count > 0);

    /// <summary>Changes whenever the log does.</summary>
    public long LogVersion { get; private set; }

    /// <summary>Appends that overwrote entries.</summary>
    public int Truncations { get; private set; }

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
        EntryRange taken = Core.Step(envelope.Message, envelope.Entries);
        if (!taken.IsEmpty)
        {
            int first = (int)(taken.First - envelope.Message.Position.Index) - 1;
            RecordHeader[] entries = envelope.Entries[first..];
            Assert.Equal(taken.Last, entries[^1].Position.Index);
            Assert.False(Core.IsLeader); // Leader Append-Only (figure 3)
            Truncations += taken.First <= Log.Count ? 1 : 0;
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

    /// <summary>Completes the oldest write; the core doesn't know it yet.</summary>
    public void SyncOne()
    {
        if (_writes.Count == 0)
            return;
        Write write = _writes.Dequeue();
        Perform(write);
        if (write.Entries.Length > 0)
            _completions.Enqueue(write.Entries[^1].Position);
        while (_outbox.TryPeek(out var held) && held.After <= _synced)
            _send(_outbox.Dequeue().Envelope);
    }

    /// <summary>Tells the core of the oldest completion that it doesn't know.</summary>
    public void ReportOne()
    {
        if (_completions.Count == 0)
            return;
        Core.DurableTo(_completions.Dequeue());
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

    /// <param name="writesKept">Unsynced writes that happen to reach the disk all the same.</param>
    public void Crash(int writesKept = 0)
    {
        for (; writesKept > 0 && _writes.Count > 0; writesKept--)
            Perform(_writes.Dequeue());
        IsUp = false;
        _writes.Clear();
        _completions.Clear();
        _outbox.Clear();
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
        foreach (RecordHeader entry in _stableLog)
            runs.Append(entry.Position);
        Log.Clear();
        Log.AddRange(_stableLog);
        LogVersion++;
        Applied.Clear();
        Reads.Clear();
        _submitted = _synced = _stateWrite = 0;
        _committed = 0;
        _submittedState = _stable;
        return new RaftCore(Id, _configuration, _options, _stable, runs, _random);
    }

    private void Take(RecordHeader[] entries)
    {
        Log.AddRange(entries);
        LogVersion++;
        SubmitStateIfNew();
        _writes.Enqueue(new Write(++_submitted, _submittedState, entries));
    }

    private void SubmitStateIfNew()
    {
        if (Core.HardState == _submittedState)
            return;
        _submittedState = Core.HardState;
        _stateWrite = ++_submitted;
        _writes.Enqueue(new Write(_submitted, _submittedState, []));
    }

    private void Perform(Write write)
    {
        // Terms grow; a vote, once given, stands for its term (figure 2).
        Assert.True(write.State.Term >= _stable.Term);
        if (write.State.Term == _stable.Term && _stable.Vote != 0)
            Assert.Equal(_stable.Vote, write.State.Vote);
        _stable = write.State;
        _synced = write.Number;
        if (write.Entries.Length == 0)
            return;
        int first = (int)write.Entries[0].Position.Index - 1;
        _stableLog.RemoveRange(first, _stableLog.Count - first);
        _stableLog.AddRange(write.Entries);
    }

    private void Collect()
    {
        Core.EndBatch();
        while (Log.Count < Core.Log.Last.Index)
            Take([new RecordHeader(RecordType.NoOp, new(Core.Term, Log.Count + 1), 0, 0)]);
        Assert.Equal(Core.Log.Last.Index, Log.Count);
        SubmitStateIfNew();
        foreach (Message message in Core.Ready.Messages)
            _outbox.Enqueue((_stateWrite, new Envelope(message, [])));
        while (_outbox.TryPeek(out var held) && held.After <= _synced)
            _send(_outbox.Dequeue().Envelope);
        Reads.AddRange(Core.Ready.Reads);
        Core.Ready.Messages.Clear();
        Core.Ready.Reads.Clear();
        foreach (ulong peer in _configuration.Servers)
        {
            while (peer != Id && Core.TryNextAppend(peer, out Message append))
                SendAppend(append);
        }
        Assert.True(Core.Log.Committed >= _committed);
        _committed = Core.Log.Committed;
        for (int i = Applied.Count; i < _committed; i++)
            Applied.Add(Log[i]);
        Core.AppliedTo(_committed);
    }

    private void SendAppend(in Message append)
    {
        // Who sends appends has won an election with this HardState; so it left this server, so it is durable.
        Assert.Equal(_stable, Core.HardState);
        int first = (int)append.Position.Index;
        int count = 0;
        int bytes = 0;
        while (first + count < Log.Count && (count == 0 || bytes + Log[first + count].RecordLength <= _options.AppendBytesMax))
            bytes += Log[first + count++].RecordLength;
        _send(new Envelope(append with { Count = count }, [.. Log.GetRange(first, count)]));
        Core.AppendSent(append.To, count, bytes);
    }

    private sealed record Write(long Number, HardState State, RecordHeader[] Entries);
}
