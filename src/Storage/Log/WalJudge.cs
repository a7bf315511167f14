using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Torn or damaged? Judges the batches of one segment for recovery.
/// <para>
/// One write is one batch, and the writer thread begins a batch only when the batch before it is durable. So if
/// anything later is on the disk, a batch that isn't intact was durable once. If nothing later is there, the batch is
/// taken for an unfinished write, of which nothing was acknowledged. A segment's header is durable before its file has
/// a name, so a damaged header is never torn.
/// </para>
/// <code>
/// at the place of a batch              | later in the log              | judgement
/// -------------------------------------+-------------------------------+--------------------------------------------
/// intact batch                         | anything or nothing           | durable: its records are applied
/// header, but records not intact       | a later valid batch, or a     | damaged: refused with file and byte
///                                      | segment that begins with one  |
/// no valid header                      | the same                      | damaged: refused with file and byte
/// header, but records not intact       | nothing                       | torn: cut off and reported
/// no valid header, bytes not zero      | nothing; file is new          | torn: cut off and reported
/// no valid header, bytes not zero      | nothing; file is recycled     | end of the log: old bytes, cleared unreported
/// zeros to the end of the file         | nothing                       | end of the log
/// </code>
/// <para>
/// A seal is an intact, empty batch. Damage to the batch before a seal is therefore refused. Damage to a last batch
/// without a seal can't be told from a torn write, and is cut off. A damaged seal is cut off too, and holds nothing.
/// </para>
/// </summary>
internal readonly ref struct WalJudge(
    string file, ReadOnlySpan<byte> segment, WalSegmentHeader segmentHeader, uint salt)
{
    private readonly ReadOnlySpan<byte> segment = segment;

    /// <summary>Checks the batch at an offset.</summary>
    /// <param name="number">Number that the batch should have.</param>
    public WalBatchVerdict Check(int offset, long number)
    {
        if (!TryReadHeader(offset, out WalBatchHeader header))
        {
            return new WalBatchVerdict
            {
                File = file,
                Damage = $"batch {number} is not there",
                DamageOffset = offset,
                SearchOffset = offset + IDisk.Alignment,
            };
        }
        WalBatchVerdict intact = new()
        {
            File = file,
            Header = header,
            HasHeader = true,
            DamageOffset = offset,
            SearchOffset = offset + header.BytesOnDisk,
        };
        int at = offset + WalBatchHeader.Size;
        int end = offset + header.Bytes;
        uint checksum = 0;
        for (int i = 0; i < header.Records; i++)
        {
            if (Record.TryRead(segment[at..end], out RecordHeader record) != DecodeStatus.Complete)
                return intact with { Damage = $"record {i + 1} of batch {number} is not intact", DamageOffset = at };
            checksum = Crc32C.Append(checksum, segment.Slice(at, Record.HeaderSize));
            at += record.RecordLength;
        }
        return at == end && checksum == header.RecordsChecksum
            ? intact
            : intact with { Damage = $"the records of batch {number} don't match the batch's header" };
    }

    /// <summary>Judges the bytes from the first batch that isn't intact to the end of the segment.</summary>
    /// <param name="end">Verdict on that batch.</param>
    /// <param name="offset">Offset of that batch, at which the intact batches end.</param>
    /// <param name="tailEnd">Offset after the last byte that isn't zero.</param>
    /// <returns>True if the batch is torn; false if the log ends here.</returns>
    /// <exception cref="StorageException">A later batch is there, so the log is damaged.</exception>
    public bool JudgeTail(in WalBatchVerdict end, int offset, out int tailEnd)
    {
        tailEnd = offset + segment[offset..].LastIndexOfAnyExcept((byte)0) + 1;
        for (int at = end.SearchOffset; at < tailEnd; at += IDisk.Alignment)
        {
            if (TryReadHeader(at, out WalBatchHeader later))
                throw end.FollowedBy($"batch {later.Number} follows at byte {at}");
        }
        return tailEnd > offset && (end.HasHeader || !segmentHeader.HoldsOldBytes);
    }

    /// <summary>
    /// Reads a valid header. Returns false for a batch that a recycled file holds from an older segment: the batch's
    /// number is below this segment's first batch.
    /// </summary>
    private bool TryReadHeader(int offset, out WalBatchHeader header) =>
        WalBatchHeader.TryRead(segment, offset, salt, out header) && header.Number >= segmentHeader.FirstBatch;
}

/// <summary>State of the bytes at the place of a batch: an intact batch, or the damage.</summary>
internal readonly record struct WalBatchVerdict
{
    public required string File { get; init; }

    public WalBatchHeader Header { get; init; }

    /// <summary>True if the batch has a valid header, intact records or not.</summary>
    public bool HasHeader { get; init; }

    /// <summary>Text for an operator: what is wrong with the batch. Null if the batch is intact.</summary>
    public string? Damage { get; init; }

    public required int DamageOffset { get; init; }

    /// <summary>Smallest offset at which a later batch may begin.</summary>
    public required int SearchOffset { get; init; }

    public bool IsIntact => Damage is null;

    /// <summary>The refusal of a log in which something later follows this batch, which isn't intact.</summary>
    public StorageException FollowedBy(string later) =>
        StorageException.Damage(File, DamageOffset, $"{Damage}, and {later}");
}
