using System.Buffers.Binary;

namespace RaftFast.Protocol.Tests;

using Record = RaftFast.Protocol.Record;

/// <summary>Encoding of a configuration as an entry of the log.</summary>
public sealed class ConfigurationRecordTests
{
    private const int FirstMember = 24;

    private static readonly ClusterConfiguration Joint = new(
        0x1122334455667788,
        [
            new Member(2, new PeerAddress("a", 80), MemberRole.Leaving, IsOutgoingVoter: true),
            new Member(3, new PeerAddress("::1", 9022), MemberRole.Voter, IsOutgoingVoter: true),
            new Member(7, new PeerAddress("node-7.example", 65535), MemberRole.Learner),
        ],
        [1, 9],
        leavesJointItself: true);

    /// <summary>The header, the first member, the other members, and the removed ids.</summary>
    private static readonly byte[] JointStart =
    [
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x03, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x0B, 0x00, 0x00, 0x00, 0x00, 0x00,
        .. "http://a:80"u8, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    [Fact]
    public void Layout_is_what_is_on_every_disk()
    {
        byte[] payload = Payload(Joint);
        Assert.Equal(JointStart, payload[..JointStart.Length]);
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0], payload[^16..]);
    }

    [Fact]
    public void Record_is_finished_and_without_a_position()
    {
        byte[] record = ConfigurationRecord.Write(Joint);
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        Assert.Equal((RecordType.Configuration, default(LogPosition)), (header.Type, header.Position));
        Assert.Equal(record.Length, header.RecordLength);
    }

    [Fact]
    public void Decoded_is_what_was_encoded()
    {
        AssertThereAndBack(Joint);
        AssertThereAndBack(new ClusterConfiguration(1, []));
        AssertThereAndBack(
            new ClusterConfiguration(ulong.MaxValue, [new Member(ulong.MaxValue, new PeerAddress("a", 1))]));
    }

    [Fact]
    public void Largest_configuration_goes_there_and_back_and_fits_a_record()
    {
        string host = string.Join('.', Enumerable.Repeat(new string('a', 60), 4));
        Member[] members = [.. Enumerable.Range(1, ClusterConfiguration.MembersMax).Select(
            id => new Member((ulong)id, new PeerAddress(host, id)))];
        ulong[] removed = [.. Enumerable.Range(1, ClusterConfiguration.RemovedMax).Select(id => 1000 + (ulong)id)];
        ClusterConfiguration largest = new(1, members, removed);
        AssertThereAndBack(largest);
        Assert.InRange(Payload(largest).Length, 0, Record.PayloadBytesMax);
    }

    [Fact]
    public void Every_prefix_and_every_addition_is_no_configuration()
    {
        byte[] payload = Payload(Joint);
        for (int length = 0; length < payload.Length; length++)
            Assert.Null(ConfigurationRecord.TryRead(payload.AsSpan(0, length)));
        Assert.Null(ConfigurationRecord.TryRead([.. payload, 0]));
        Assert.Null(ConfigurationRecord.TryRead([.. payload, 0, 0, 0, 0, 0, 0, 0, 0]));
    }

    [Fact]
    public void Damaged_byte_gives_a_valid_configuration_or_nothing()
    {
        byte[] payload = Payload(Joint);
        int refused = 0;
        for (int bit = 0; bit < payload.Length * 8; bit++)
        {
            byte[] damaged = [.. payload];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            // The record's checksum finds the damage. The decoder must not throw, and its result must be writable.
            if (ConfigurationRecord.TryRead(damaged) is { } read)
                AssertThereAndBack(read);
            else
                refused++;
        }
        Assert.True(refused > payload.Length);
    }

    public static TheoryData<int, byte[]> Flaws => new()
    {
        { 8, BitConverter.GetBytes(4) }, // more members than follow
        { 8, BitConverter.GetBytes(2) }, // fewer members than follow
        { 8, BitConverter.GetBytes(ClusterConfiguration.MembersMax + 1) },
        { 8, BitConverter.GetBytes(-1) },
        { 12, BitConverter.GetBytes(1) }, // fewer removed ids than follow
        { 12, BitConverter.GetBytes(3) },
        { 12, BitConverter.GetBytes(ClusterConfiguration.RemovedMax + 1) },
        { 12, BitConverter.GetBytes(-1) },
        { 16, [2] },
        { 17, [1] },
        { 23, [1] },
        { FirstMember, BitConverter.GetBytes(0L) },
        { FirstMember, BitConverter.GetBytes(3L) }, // the same id twice
        { FirstMember, BitConverter.GetBytes(4L) }, // out of order
        { FirstMember, BitConverter.GetBytes(1L) }, // a removed id
        { FirstMember + 8, [3] }, // no role
        { FirstMember + 9, [0] }, // Leaving, but no outgoing voter
        { FirstMember + 9, [2] },
        { FirstMember + 10, [0, 0] }, // no address
        { FirstMember + 10, [0xFF, 0xFF] }, // ends after the payload
        { FirstMember + 12, [1] },
        { FirstMember + 15, [1] },
        { FirstMember + 16, "ftp"u8.ToArray() },
        { FirstMember + 16, [0xFF, 0xFE] },
    };

    [Theory]
    [MemberData(nameof(Flaws))]
    public void Flawed_field_is_no_configuration(int offset, byte[] value)
    {
        byte[] payload = Payload(Joint);
        value.CopyTo(payload, offset);
        Assert.Null(ConfigurationRecord.TryRead(payload));
    }

    [Theory]
    [InlineData(0, 9)]
    [InlineData(9, 9)]
    [InlineData(9, 1)]
    [InlineData(1, 3)] // a member's id
    public void Removed_ids_ascend_and_none_is_a_members(ulong first, ulong second)
    {
        byte[] payload = Payload(Joint);
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(payload.Length - 16), first);
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(payload.Length - 8), second);
        Assert.Null(ConfigurationRecord.TryRead(payload));
    }

    private static byte[] Payload(ClusterConfiguration configuration)
    {
        byte[] record = ConfigurationRecord.Write(configuration);
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        return Record.Payload(record, header).ToArray();
    }

    private static void AssertThereAndBack(ClusterConfiguration configuration)
    {
        ClusterConfiguration? read = ConfigurationRecord.TryRead(Payload(configuration));
        Assert.NotNull(read);
        Assert.Equal(configuration.ClusterId, read.ClusterId);
        Assert.Equal(configuration.Members, read.Members);
        Assert.Equal(configuration.RemovedIds, read.RemovedIds);
        Assert.Equal((configuration.IsJoint, configuration.LeavesJointItself), (read.IsJoint, read.LeavesJointItself));
    }
}
