using System.Buffers;
using RaftFast.Protocol;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Reports;

namespace RaftFast.Simulation.Network;

/// <summary>All links of a cluster. A connection keeps the order of its frames unless a fault changes it.</summary>
internal sealed class SimulatedNetwork
{
    private readonly EventQueue events;
    private readonly SeededRandom random;
    private readonly Counters counters;
    private readonly SimulatedLink[,] links;
    private readonly List<FrameInFlight> frames = [];
    private readonly Stack<int> freeSlots = new();
    private readonly OldAnswers oldAnswers;
    private readonly LostAnswers lostAnswers;

    public SimulatedNetwork(
        int servers, EventQueue events, SeededRandom random, NetworkFaults faults, Counters counters,
        LostAnswers lostAnswers)
    {
        this.lostAnswers = lostAnswers;
        this.events = events;
        this.random = random;
        this.counters = counters;
        Faults = faults;
        oldAnswers = new OldAnswers(servers);
        links = new SimulatedLink[servers, servers];
        for (int from = 0; from < servers; from++)
        {
            for (int to = 0; to < servers; to++)
                links[from, to] = new SimulatedLink();
        }
    }

    public NetworkFaults Faults { get; set; }

    public SimulatedLink Link(int from, int to) => links[from, to];

    public void Send(int from, int to, in Message message, ReadOnlySpan<byte> records)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Frame.HeaderSize + records.Length);
        Frame.WriteHeader(bytes, message, records.Length);
        records.CopyTo(bytes.AsSpan(Frame.HeaderSize));
        SimulatedLink link = links[from, to];
        FrameInFlight frame = new(bytes, Frame.HeaderSize + records.Length, from, to, link.Epoch, IsReplay: false);
        if (random.OneIn(Faults.LoseOneIn) || !link.IsOpen)
        {
            Lost(frame, Counter.FramesLost);
            return;
        }
        // A receiver must stand the repetition of any message but a Forward. A Forward is not repeated here, because a
        // real connection never repeats bytes.
        bool mayRepeat = message.Type != MessageType.Forward && !link.IsMute;
        if (random.OneIn(Faults.DuplicateOneIn) && mayRepeat)
        {
            counters[Counter.FramesDuplicated]++;
            Schedule(Copy(frame), link);
        }
        if (random.OneIn(Faults.ReplayOneIn) && mayRepeat)
            Schedule(Copy(frame) with { IsReplay = true }, random.Between(500_000, 5_000_000));
        if (Faults.ReplayOneIn > 0 && !link.IsMute)
            ReplayOldAnswer(message, from, to);
        Schedule(frame, link);
    }

    /// <summary>Takes a frame that has arrived.</summary>
    /// <returns>False if the frame's connection has ended, or a fault of the link loses the frame.</returns>
    public bool TryTake(long slot, out FrameInFlight frame)
    {
        frame = frames[(int)slot];
        frames[(int)slot] = default;
        freeSlots.Push((int)slot);
        SimulatedLink link = links[frame.From, frame.To];
        bool isOfEarlierConnection = !frame.IsReplay && frame.Epoch != link.Epoch;
        if (isOfEarlierConnection)
        {
            Frame.TryReadHeader(frame.Span, out Message message, out _);
            lostAnswers.Add(frame.From, frame.To, frame.Epoch, message);
        }
        // A replayed frame arrives only on a connection that is open and that the dialler knows.
        if (link.IsCut || link.IsMute || (link.LosesEntries && HasEntries(frame))
            || (frame.IsReplay && !(link.IsOpen && link.IsConnected)))
        {
            Lost(frame, Counter.FramesLostToPartition);
            return false;
        }
        if (isOfEarlierConnection)
        {
            Lost(frame, Counter.FramesLost);
            return false;
        }
        counters[Counter.FramesReplayed] += frame.IsReplay ? 1 : 0;
        return true;
    }

    /// <summary>Now and then answers a request of a new term with an answer from an old term.</summary>
    private void ReplayOldAnswer(in Message message, int from, int to)
    {
        oldAnswers.Keep(message, from, to);
        if (!oldAnswers.TryTake(message, from, to, out Message answer) || !random.OneIn(2))
            return;
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Frame.HeaderSize);
        Frame.WriteHeader(bytes, answer, 0);
        FrameInFlight frame = new(bytes, Frame.HeaderSize, to, from, 0, IsReplay: true);
        Schedule(frame, random.Between(Faults.LatencyMin, Faults.LatencyMax));
    }

    public static void Return(in FrameInFlight frame) => ArrayPool<byte>.Shared.Return(frame.Bytes);

    private void Schedule(in FrameInFlight frame, SimulatedLink link)
    {
        long delay = random.Between(Faults.LatencyMin, Faults.LatencyMax);
        if (random.OneIn(Faults.DelayOneIn))
            delay += random.Between(0, Faults.DelayMax);
        long arrival = events.Now + delay;
        if (arrival < link.LastArrival)
        {
            if (random.OneIn(Faults.ReorderOneIn))
                counters[Counter.FramesReordered]++;
            else
                arrival = link.LastArrival;
        }
        link.LastArrival = Math.Max(link.LastArrival, arrival);
        Schedule(frame, arrival - events.Now);
    }

    private void Schedule(in FrameInFlight frame, long delay)
    {
        if (!freeSlots.TryPop(out int slot))
        {
            slot = frames.Count;
            frames.Add(default);
        }
        frames[slot] = frame;
        events.Schedule(delay, new Event(EventKind.Deliver, frame.To, 0, slot));
    }

    private void Lost(in FrameInFlight frame, Counter counter)
    {
        counters[counter]++;
        if (HasEntries(frame))
            counters[Counter.AppendsWithEntriesLost]++;
        Return(frame);
    }

    private static bool HasEntries(in FrameInFlight frame)
    {
        Frame.TryReadHeader(frame.Span, out Message message, out _);
        return message.Type == MessageType.Append && message.Count > 0;
    }

    private static FrameInFlight Copy(in FrameInFlight frame)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(frame.Length);
        frame.Span.CopyTo(bytes);
        return frame with { Bytes = bytes };
    }
}

/// <summary>A frame between two servers, which are numbered from 0.</summary>
internal readonly record struct FrameInFlight(byte[] Bytes, int Length, int From, int To, int Epoch, bool IsReplay)
{
    public Span<byte> Span => Bytes.AsSpan(0, Length);
}
