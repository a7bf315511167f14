using System.Text;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Tests;

public sealed class AnswerHeadTests
{
    [Theory]
    [InlineData("HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n", 204, 0, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n", 200, 17, false)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length:0 \r\nX: a: b\r\n\r\n", 200, 0, false)]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\nConnection: Close\r\n\r\n", 503, 3, true)]
    [InlineData("HTTP/1.0 404 \r\nContent-Length: 3\r\n\r\n", 404, 3, true)]
    [InlineData("HTTP/1.1 304\r\nContent-Length: 3\r\n\r\n", 304, 0, false)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, 0, false)]
    public void Every_prefix_is_incomplete_and_the_whole_is_complete(
        string text, int status, int bodyLength, bool closes)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        for (int length = 0; length < bytes.Length; length++)
            Assert.Equal(AnswerStatus.Incomplete, AnswerHead.TryRead(bytes.AsSpan(0, length), out _));
        foreach (string after in (string[])["", "HTTP", "\r\n\r\n"])
        {
            byte[] received = Encoding.ASCII.GetBytes(text + after);
            Assert.Equal(AnswerStatus.Complete, AnswerHead.TryRead(received, out AnswerHead head));
            Assert.Equal(new AnswerHead(status, bytes.Length, bodyLength, closes), head);
        }
    }

    [Theory]
    [InlineData("HTTQ")]
    [InlineData("HTTP/2")]
    [InlineData("HTTP/1.1 2x4 No\r\n\r\n")]
    [InlineData("HTTP/1.1 2044 No\r\n\r\n")]
    [InlineData("HTTP/1.1 999 No\r\n\r\n")]
    [InlineData("HTTP/1.1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    public void Other_heads_are_invalid(string text) =>
        Assert.Equal(AnswerStatus.Invalid, AnswerHead.TryRead(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void A_head_without_end_is_invalid()
    {
        byte[] endless = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nX: " + new string('x', AnswerHead.BytesMax));
        Assert.Equal(AnswerStatus.Invalid, AnswerHead.TryRead(endless, out _));
    }
}
