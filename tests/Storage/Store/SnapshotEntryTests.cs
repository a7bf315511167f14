using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class SnapshotEntryTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 5)]
    [InlineData(16, 64)]
    [InlineData(PutCommand.KeyBytesMax, PutCommand.ValueBytesMax)]
    public void Entry_is_read_as_written(int keyLength, int valueLength)
    {
        byte[] key = new byte[keyLength];
        byte[] value = new byte[valueLength];
        key.AsSpan().Fill(1);
        value.AsSpan().Fill(2);
        byte[] written = Written(key, value, LogPosition.Greatest);
        DecodeStatus status = SnapshotEntry.TryRead([.. written, 9, 9], out SnapshotEntry entry, out int length);
        Assert.Equal(DecodeStatus.Complete, status);
        Assert.True(entry.Key.SequenceEqual(key));
        Assert.True(entry.Value.SequenceEqual(value));
        Assert.Equal(LogPosition.Greatest, entry.Index);
        Assert.Equal(written.Length, length);
        Assert.Equal(0, length % 8);
    }

    [Fact]
    public void Layout_is_as_it_is_on_disk()
    {
        byte[] expected =
        [
            2, 0, 0, 0, 3, 0, 0, 0, 7, 1, 0, 0, 0, 0, 0, 0, (byte)'/', (byte)'a', (byte)'b', 5, 6, 0, 0, 0,
        ];
        Assert.Equal(expected, Written("/ab"u8, [5, 6], 0x107));
    }

    [Fact]
    public void Time_stands_before_the_key()
    {
        byte[] written = new byte[SnapshotEntry.LengthOf(3, 2, hasTime: true)];
        Assert.Equal(written.Length, new SnapshotEntry("/ab"u8, [5, 6], 0x107, 0x203).Write(written));
        byte[] expected =
        [
            2, 0, 0, 0, 3, 0, 1, 0, 7, 1, 0, 0, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0, (byte)'/', (byte)'a', (byte)'b',
            5, 6, 0, 0, 0,
        ];
        Assert.Equal(expected, written);
        for (int length = 0; length < written.Length; length++)
            Assert.Equal(DecodeStatus.Incomplete, SnapshotEntry.TryRead(written.AsSpan(0, length), out _, out _));
        Assert.Equal(DecodeStatus.Complete, SnapshotEntry.TryRead(written, out SnapshotEntry entry, out _));
        Assert.True(entry.Key.SequenceEqual("/ab"u8));
        Assert.True(entry.Value.SequenceEqual(new byte[] { 5, 6 }));
        Assert.Equal((0x107, 0x203), (entry.Index, entry.Time));
    }

    [Fact]
    public void Every_prefix_is_incomplete()
    {
        byte[] written = Written("/ab"u8, [5, 6], 1);
        for (int length = 0; length < written.Length; length++)
            Assert.Equal(DecodeStatus.Incomplete, SnapshotEntry.TryRead(written.AsSpan(0, length), out _, out _));
    }

    /// <param name="at">Byte that is changed.</param>
    [Theory]
    [InlineData(3, 1)]
    [InlineData(4, 0)]
    [InlineData(5, 0x21)]
    [InlineData(6, 2)]
    [InlineData(7, 1)]
    [InlineData(8, 0)]
    [InlineData(15, 0x80)]
    [InlineData(15, 0x11)]
    [InlineData(23, 1)]
    public void Field_out_of_range_is_invalid(int at, byte changed)
    {
        byte[] written = Written("/ab"u8, [5, 6], 1);
        written[at] = changed;
        Assert.Equal(DecodeStatus.Invalid, SnapshotEntry.TryRead(written, out _, out _));
    }

    private static byte[] Written(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long index)
    {
        byte[] written = new byte[SnapshotEntry.LengthOf(key.Length, value.Length)];
        written.AsSpan().Fill(0xee);
        Assert.Equal(written.Length, new SnapshotEntry(key, value, index).Write(written));
        return written;
    }
}
