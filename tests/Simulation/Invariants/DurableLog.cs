using RaftFast.Protocol;
using RaftFast.Storage;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// What a server's stable storage holds, read from the bytes as they reach the simulated disk: independent of what the
/// server itself believes to be durable.
/// </summary>
internal sealed class DurableLog
{
    private readonly List<(long Term, uint Checksum)> entries = [];

    private readonly Dictionary<long, ulong> votes = [];

    public HardState HardState { get; private set; }

    /// <summary>Entries that a new leader's have replaced (§5.3).</summary>
    public long Overwritten { get; private set; }

    public long LastIndex => entries.Count;

    public long TermAt(long index) => index == 0 ? 0 : entries[(int)index - 1].Term;

    /// <summary>The term that recovery would find: of the hard state, or of the last entry.</summary>
    public long Term => Math.Max(HardState.Term, TermAt(LastIndex));

    /// <summary>Whether this vote has been on stable storage, though later terms may have followed.</summary>
    public bool HoldsVote(long term, ulong candidate) => votes.GetValueOrDefault(term) == candidate;

    public bool Holds(LogPosition entry) => entry.Index <= LastIndex && TermAt(entry.Index) == entry.Term;

    /// <param name="image">A batch, from header to padding.</param>
    public void Add(ReadOnlySpan<byte> image, Action<LogPosition, long, uint> added)
    {
        ReadOnlySpan<byte> rest = image[WalBatchHeader.Size..];
        while (Record.TryRead(rest, out RecordHeader header) == DecodeStatus.Complete)
        {
            if (HardStateRecord.TryRead(rest, header, out HardState state))
            {
                HardState = state;
                votes[state.Term] = state.Vote;
            }
            else
                Add(header, added);
            rest = rest[header.RecordLength..];
        }
    }

    private void Add(in RecordHeader header, Action<LogPosition, long, uint> added)
    {
        LogPosition position = header.Position;
        Invariant.Hold(position.Index <= LastIndex + 1);
        Overwritten += LastIndex - position.Index + 1;
        entries.RemoveRange((int)position.Index - 1, entries.Count - (int)position.Index + 1);
        added(position, TermAt(position.Index - 1), header.PayloadChecksum);
        entries.Add((position.Term, header.PayloadChecksum));
    }
}
