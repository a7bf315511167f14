namespace RaftFast.Protocol.Tests;

public sealed class AnnouncementTests
{
    private static readonly Announcement Sample = new("http://10.0.0.1:9121", "http://10.0.0.1:10121", "1.2.3");

    [Fact]
    public void Announcement_goes_there_and_back_in_a_handshake()
    {
        Assert.Equal(Sample, ThroughHandshake("127.0.0.1", Sample));
        Assert.Equal(Sample with { ApiUrl = "" }, ThroughHandshake("127.0.0.1", Sample with { ApiUrl = "" }));
        Assert.Null(ThroughHandshake("127.0.0.1", announced: null));
    }

    [Fact]
    public void Announcement_without_room_is_left_out_and_the_address_stays()
    {
        Assert.Null(ThroughHandshake(string.Join('.', Enumerable.Repeat(new string('a', 60), 4)), Sample));
        Assert.Null(ThroughHandshake("127.0.0.1", Sample with { Version = new string('v', 300) }));
    }

    [Fact]
    public void Malformed_or_unknown_bytes_are_no_announcement()
    {
        byte[] bytes = new byte[100];
        Sample.Write(bytes);
        Assert.Equal(Sample, Announcement.Read(bytes));
        int length = 4 + Sample.ClientUrl.Length + Sample.ApiUrl.Length + Sample.Version.Length;
        for (int prefix = 0; prefix < length; prefix++)
            Assert.Null(Announcement.Read(bytes.AsSpan(0, prefix)));
        bytes[0] = 2;
        Assert.Null(Announcement.Read(bytes));
        Assert.Null(Announcement.Read(new byte[50]));
    }

    private static Announcement? ThroughHandshake(string host, Announcement? announced)
    {
        Handshake sent = new(ClusterId: 1, From: 2, To: 3, Directory: 4, new PeerAddress(host, 9021))
        {
            Announced = announced,
        };
        byte[] bytes = new byte[Handshake.Size];
        sent.Write(bytes);
        Assert.Equal(DecodeStatus.Complete, Handshake.TryRead(bytes, out Handshake received, out _));
        Assert.Equal(sent.Address, received.Address);
        return received.Announced;
    }
}
