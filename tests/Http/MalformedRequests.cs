using System.Reflection;

namespace RaftFast.Http.Tests;

/// <summary>
/// Requests that are refused: a name, the bytes, and the refusal. The list includes the known ways to make two parsers
/// disagree about the end of a request.
/// </summary>
internal static class MalformedRequests
{
    private const string Put = "PUT /a HTTP/1.1\r\nHost: h\r\n";

    private const string Chunked = Put + "Transfer-Encoding: chunked\r\n\r\n";

    public static TheoryData<string, string, string> Rows { get; } = new()
    {
        // RFC 9112 §3: the request line.
        { "no version", "GET /a\r\n", nameof(Refusal.RequestLine) },
        { "no target", "GET  HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "only a method", "GET\r\n", nameof(Refusal.RequestLine) },
        { "two spaces", "GET  /a HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "space in the target", "GET /a b HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "tab for a space", "GET\t/a HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "space at the end", "GET /a HTTP/1.1 \r\n", nameof(Refusal.RequestLine) },
        { "space at the beginning", " GET /a HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "control in the target", "GET /a\u0001 HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "NUL in the target", "GET /a\0 HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "DEL in the target", "GET /a\u007f HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "bare CR in the line", "GET /a\rb HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "bare LF ends the line", "GET /a HTTP/1.1\nHost: h\n\n", nameof(Refusal.RequestLine) },
        { "no token for a method", "G(T /a HTTP/1.1\r\n", nameof(Refusal.RequestLine) },
        { "method without end", new string('M', 40), nameof(Refusal.RequestLine) },
        { "TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001", nameof(Refusal.RequestLine) },
        { "bare CR before", "\rGET /a HTTP/1.1\r\nHost: h\r\n\r\n", nameof(Refusal.RequestLine) },
        { "bare LF before", "\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", nameof(Refusal.RequestLine) },
        { "version in lower case", "GET /a http/1.1\r\n", nameof(Refusal.RequestLine) },
        { "version without a dot", "GET /a HTTP/11\r\n", nameof(Refusal.RequestLine) },
        { "version of two digits", "GET /a HTTP/1.10\r\n", nameof(Refusal.RequestLine) },
        { "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", nameof(Refusal.Version) },
        { "HTTP/0.9", "GET /a HTTP/0.9\r\n", nameof(Refusal.Version) },
        { "HTTP/2.0", "GET /a HTTP/2.0\r\n", nameof(Refusal.Version) },
        { "asterisk-form", "GET * HTTP/1.1\r\n", nameof(Refusal.Target) },
        { "fragment", "GET /a#b HTTP/1.1\r\n", nameof(Refusal.Target) },
        { "no slash", "GET a HTTP/1.1\r\n", nameof(Refusal.Target) },
        { "authority-form", "GET h:80 HTTP/1.1\r\n", nameof(Refusal.Target) },
        { "other scheme", "GET ftp://h/a HTTP/1.1\r\n", nameof(Refusal.Target) },
        { "absolute-form without a host", "GET http:///a HTTP/1.1\r\n", nameof(Refusal.Target) },
        { "absolute-form with a user", "GET http://u@h/a HTTP/1.1\r\n", nameof(Refusal.Target) },
        { "query without a path", "GET http://h?a HTTP/1.1\r\n", nameof(Refusal.Target) },
        { "target too long by one", $"GET /{new string('a', 8192)} HTTP/1.1\r\n", nameof(Refusal.TargetSize) },
        { "target without end", $"GET /{new string('a', 9000)}", nameof(Refusal.TargetSize) },

        // RFC 9112 §5: header lines.
        { "space before the colon", "GET /a HTTP/1.1\r\nHost : h\r\n", nameof(Refusal.HeaderLine) },
        { "folded line", "GET /a HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n", nameof(Refusal.HeaderLine) },
        { "folded first line", "GET /a HTTP/1.1\r\n Host: h\r\n", nameof(Refusal.HeaderLine) },
        { "no colon", "GET /a HTTP/1.1\r\nHost\r\n", nameof(Refusal.HeaderLine) },
        { "no name", "GET /a HTTP/1.1\r\n: h\r\n", nameof(Refusal.HeaderLine) },
        { "no token for a name", "GET /a HTTP/1.1\r\nA(: h\r\n", nameof(Refusal.HeaderLine) },
        { "NUL in a value", "GET /a HTTP/1.1\r\nA: b\0c\r\n", nameof(Refusal.HeaderLine) },
        { "bare CR in a value", "GET /a HTTP/1.1\r\nA: b\rc: d\r\n", nameof(Refusal.HeaderLine) },
        { "bare LF after a value", "GET /a HTTP/1.1\r\nHost: h\nA: b\r\n", nameof(Refusal.HeaderLine) },
        { "bare LF for the empty line", "GET /a HTTP/1.1\r\nHost: h\r\n\n", nameof(Refusal.HeaderLine) },
        {
            "headers too large",
            $"GET /a HTTP/1.1\r\nHost: h\r\nA: {new string('a', 8192)}\r\nB: {new string('b', 8192)}\r\n\r\n",
            nameof(Refusal.HeadersSize)
        },
        { "header without end", $"GET /a HTTP/1.1\r\nA: {new string('a', 16384)}", nameof(Refusal.HeadersSize) },
        {
            "too many headers",
            $"GET /a HTTP/1.1\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", 101))}",
            nameof(Refusal.HeadersSize)
        },

        // RFC 9112 §3.2.
        { "no Host", "GET /a HTTP/1.1\r\n\r\n", nameof(Refusal.Host) },
        { "two Hosts", "GET /a HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n", nameof(Refusal.Host) },
        { "two Hosts in HTTP/1.0", "GET /a HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", nameof(Refusal.Host) },
        { "list of Hosts", "GET /a HTTP/1.1\r\nHost: a, b\r\n\r\n", nameof(Refusal.Host) },
        { "Host with a path", "GET /a HTTP/1.1\r\nHost: h/x\r\n\r\n", nameof(Refusal.Host) },

        // RFC 9112 §6: framing.
        {
            "both framings",
            Put + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            nameof(Refusal.Framing)
        },
        {
            "both framings, the other way",
            Put + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
            nameof(Refusal.Framing)
        },
        {
            "both framings on GET",
            "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            nameof(Refusal.Framing)
        },
        { "chunks in HTTP/1.0", "PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", nameof(Refusal.Framing) },
        {
            "two codings", Put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
            nameof(Refusal.Framing)
        },
        { "gzip alone", Put + "Transfer-Encoding: gzip\r\n\r\n", nameof(Refusal.LastCoding) },
        { "chunked not last", Put + "Transfer-Encoding: chunked, gzip\r\n\r\n", nameof(Refusal.LastCoding) },
        {
            "part of a value", Put + "Content-Length: 1\r\nContent-Range: bytes 5-5/6\r\n\r\n",
            nameof(Refusal.ContentRange)
        },
        { "list of codings", Put + "Transfer-Encoding: gzip, chunked\r\n\r\n", nameof(Refusal.TransferCoding) },
        { "chunked twice", Put + "Transfer-Encoding: chunked, chunked\r\n\r\n", nameof(Refusal.TransferCoding) },
        { "almost chunked", Put + "Transfer-Encoding: xchunked\r\n\r\n", nameof(Refusal.LastCoding) },
        { "chunked in quotes", Put + "Transfer-Encoding: \"chunked\"\r\n\r\n", nameof(Refusal.LastCoding) },
        { "chunked with parameters", Put + "Transfer-Encoding: chunked;a\r\n\r\n", nameof(Refusal.LastCoding) },
        { "no coding", Put + "Transfer-Encoding:\r\n\r\n", nameof(Refusal.LastCoding) },
        { "identity", Put + "Transfer-Encoding: identity\r\n\r\n", nameof(Refusal.LastCoding) },
        { "vertical tab before chunked", Put + "Transfer-Encoding:\u000bchunked\r\n\r\n", nameof(Refusal.HeaderLine) },
        { "space before the coding's colon", Put + "Transfer-Encoding : chunked\r\n\r\n", nameof(Refusal.HeaderLine) },
        { "folded coding", Put + "Transfer-Encoding:\r\n chunked\r\n\r\n", nameof(Refusal.HeaderLine) },
        { "differing lengths", Put + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", nameof(Refusal.ContentLength) },
        { "equal lengths", Put + "Content-Length: 3\r\ncontent-length: 3\r\n\r\n", nameof(Refusal.ContentLength) },
        { "list of lengths", Put + "Content-Length: 3, 3\r\n\r\n", nameof(Refusal.ContentLength) },
        { "signed length", Put + "Content-Length: +3\r\n\r\n", nameof(Refusal.ContentLength) },
        { "negative length", Put + "Content-Length: -3\r\n\r\n", nameof(Refusal.ContentLength) },
        { "length in hex", Put + "Content-Length: 0x3\r\n\r\n", nameof(Refusal.ContentLength) },
        { "length with a fraction", Put + "Content-Length: 3.0\r\n\r\n", nameof(Refusal.ContentLength) },
        { "no length", Put + "Content-Length:\r\n\r\n", nameof(Refusal.ContentLength) },
        { "length of two words", Put + "Content-Length: 3 3\r\n\r\n", nameof(Refusal.ContentLength) },
        { "length that overflows", Put + "Content-Length: 9223372036854775808\r\n\r\n", nameof(Refusal.ContentLength) },
        {
            "length that overflows to 3",
            Put + "Content-Length: 18446744073709551619\r\n\r\n",
            nameof(Refusal.ContentLength)
        },
        { "PUT without framing", Put + "\r\n", nameof(Refusal.LengthRequired) },
        { "POST without framing", "POST /1 HTTP/1.1\r\nHost: h\r\n\r\n", nameof(Refusal.LengthRequired) },
        { "PUT without framing in HTTP/1.0", "PUT /1 HTTP/1.0\r\n\r\n", nameof(Refusal.LengthRequired) },
        { "body too large", Put + "Content-Length: 1048577\r\n\r\n", nameof(Refusal.BodySize) },
        {
            "body too large to wait for",
            Put + "Content-Length: 1048577\r\nExpect: 100-continue\r\n\r\n",
            nameof(Refusal.BodySize)
        },
        { "another expectation", Put + "Content-Length: 3\r\nExpect: 200-ok\r\n\r\n", nameof(Refusal.Expectation) },
        {
            "two expectations",
            Put + "Content-Length: 3\r\nExpect: 100-continue, x\r\n\r\n",
            nameof(Refusal.Expectation)
        },

        // RFC 9112 §7.1: chunks.
        { "no chunk size", Chunked + "\r\n", nameof(Refusal.Chunk) },
        { "chunk size that is no number", Chunked + "g\r\n", nameof(Refusal.Chunk) },
        { "signed chunk size", Chunked + "+3\r\nabc\r\n", nameof(Refusal.Chunk) },
        { "chunk size with 0x", Chunked + "0x3\r\nabc\r\n", nameof(Refusal.Chunk) },
        { "space before the chunk size", Chunked + " 3\r\nabc\r\n", nameof(Refusal.Chunk) },
        { "space after the chunk size", Chunked + "3 \r\nabc\r\n", nameof(Refusal.Chunk) },
        { "bare LF after the chunk size", Chunked + "3\nabc\r\n", nameof(Refusal.Chunk) },
        { "bare CR after the chunk size", Chunked + "3\rabc\r\n", nameof(Refusal.Chunk) },
        { "bare LF in an extension", Chunked + "3;a\nabc\r\n", nameof(Refusal.Chunk) },
        { "bare CR in an extension", Chunked + "3;a\rb\r\nabc\r\n", nameof(Refusal.Chunk) },
        { "chunk longer than its size", Chunked + "3\r\nabcd\r\n", nameof(Refusal.Chunk) },
        { "bare LF after a chunk", Chunked + "3\r\nabc\n", nameof(Refusal.Chunk) },
        { "chunk size that overflows", Chunked + "10000000000000000\r\n", nameof(Refusal.Chunk) },
        { "chunk size that overflows to 3", Chunked + "10000000000000003\r\nabc\r\n", nameof(Refusal.Chunk) },
        { "chunk too large", Chunked + "100001\r\n", nameof(Refusal.BodySize) },
        { "chunks too large together", Chunked + "3\r\nabc\r\nffffe\r\n", nameof(Refusal.BodySize) },
        { "chunk size with zeros without end", Chunked + new string('0', 16400), nameof(Refusal.HeadersSize) },
        { "extension without end", $"{Chunked}3;{new string('a', 16400)}", nameof(Refusal.HeadersSize) },
        { "trailer without end", $"{Chunked}0\r\nT: {new string('a', 16400)}", nameof(Refusal.HeadersSize) },
        { "bare LF in the trailers", Chunked + "0\r\nT: a\n\r\n", nameof(Refusal.Chunk) },
        { "bare CR in the trailers", Chunked + "0\r\nT: a\rb\r\n\r\n", nameof(Refusal.Chunk) },
        { "bare LF for the last line", Chunked + "0\r\n\n", nameof(Refusal.Chunk) },
    };

    public static Refusal Named(string name) =>
        (Refusal)typeof(Refusal).GetField(name, BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
}
