using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http.Tests;

public sealed class KeyFieldsTests
{
    [Theory]
    [InlineData("If-Match: \"5\"", "=5")]
    [InlineData("if-match:\"5\" , \"7\"", "=5 =7")]
    [InlineData("If-Match: \"5\"\r\nIf-Match: \"7\"", "=5 =7")] // RFC 9110 §5.3: one list
    [InlineData("If-Match: ,, \"5\",,", "=5")] // §5.6.1: empty elements
    [InlineData("If-Match: *", "=*")]
    [InlineData("If-Match: W/\"5\"", "=")] // §8.8.3.2: strong comparison
    [InlineData("If-Match: \"05\", \"-5\", \"5a\", \"\", \"99999999999999999999\", \"0\"", "=")]
    [InlineData("If-Match: \"a,b\", \"5\"", "=5")] // a comma within a tag
    [InlineData("If-None-Match: W/\"5\"", "!5")]
    [InlineData("If-None-Match: *", "!*")]
    [InlineData("If-Match: \"5\"\r\nIf-None-Match: \"7\", \"8\"", "=5 !7 !8")]
    [InlineData("If-Modified-Since: yesterday\r\nRange: bytes=0-5", "")]
    public async Task Tags_are_read(string header, string expected) =>
        Assert.Equal(expected, Describe((await TakeAsync("PUT", header)).Record));

    [Theory]
    [InlineData("GET", "If-Match: 5", "If-Match is malformed")]
    [InlineData("PUT", "If-Match: \"5", "If-Match is malformed")]
    [InlineData("PUT", "If-Match: \"5\" \"6\"", "If-Match is malformed")]
    [InlineData("PUT", "If-Match: *, \"5\"", "If-Match is malformed")]
    [InlineData("PUT", "If-Match: \"5\"\r\nIf-Match: *", "If-Match is malformed")]
    [InlineData("PUT", "If-Match: *\r\nIf-Match: *", "If-Match is malformed")]
    [InlineData("PUT", "If-Match: \"a b\"", "If-Match is malformed")]
    [InlineData("PUT", "If-Match:", "If-Match is malformed")]
    [InlineData("DELETE", "If-Match: w/\"5\"", "If-Match is malformed")]
    [InlineData("GET", "If-None-Match: ,", "If-None-Match is malformed")]
    [InlineData("PUT", "RaftFast-TTL: 0", "RaftFast-TTL is malformed")]
    [InlineData("PUT", "RaftFast-TTL: 1.5", "RaftFast-TTL is malformed")]
    [InlineData("PUT", "RaftFast-TTL: -1", "RaftFast-TTL is malformed")]
    [InlineData("PUT", "RaftFast-TTL:", "RaftFast-TTL is malformed")]
    [InlineData("PUT", "RaftFast-TTL: 315360001", "RaftFast-TTL is malformed")]
    [InlineData("PUT", "RaftFast-TTL: 5\r\nRaftFast-TTL: 5", "RaftFast-TTL is malformed")]
    [InlineData("GET", "Prefer: wait", "wait is malformed")]
    [InlineData("GET", "Prefer: wait=", "wait is malformed")]
    [InlineData("GET", "Prefer: wait=soon", "wait is malformed")]
    [InlineData("PUT", "Idempotency-Key: \"\"", "Idempotency-Key is malformed")]
    [InlineData("PUT", "Idempotency-Key:", "Idempotency-Key is malformed")]
    [InlineData("PUT", "Idempotency-Key: \"a", "Idempotency-Key is malformed")]
    [InlineData("PUT", "Idempotency-Key: a b", "Idempotency-Key is malformed")]
    [InlineData("PUT", "Idempotency-Key: \"a\\n\"", "Idempotency-Key is malformed")]
    [InlineData("PUT", "Idempotency-Key: \"a\";p=1", "Idempotency-Key is malformed")]
    [InlineData("PUT", "Idempotency-Key: a\r\nIdempotency-Key: a", "Idempotency-Key is malformed")]
    public async Task Malformed_field_is_400_with_its_name(string method, string header, string text)
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(Request(method, header) + ManualServer.Get("/next"));
        string answer = await client.ReceiveAsync(".\n");
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains(text, answer, StringComparison.Ordinal);
        // The request has ended, so the next one is served.
        Assert.Equal("/next", ManualServer.KeyOf(await server.TakeAsync()));
    }

    [Theory]
    [InlineData("If-Match", 16, true)]
    [InlineData("If-Match", 17, false)]
    [InlineData("If-None-Match", 16, true)]
    [InlineData("If-None-Match", 17, false)]
    public async Task More_than_sixteen_tags_are_too_many(string name, int count, bool isAccepted)
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        string tags = string.Join(", ", Enumerable.Range(0, count).Select(i => $"\"x{i}\""));
        await client.SendAsync(Request("PUT", $"{name}: {tags}"));
        if (isAccepted)
            await server.TakeAsync();
        else
            Assert.StartsWith("HTTP/1.1 400 ", await client.ReceiveAsync(".\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"abc\"", "abc")]
    [InlineData("abc", "abc")]
    [InlineData("\"a\\\"b\\\\c d\"", "a\"b\\c d")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123",
        "0123456789012345678901234567890123456789012345678901234567890123")]
    public async Task Idempotency_key_is_read_without_its_quotes(string header, string expected)
    {
        ClientRequest request = await TakeAsync("PUT", $"Idempotency-Key: {header}");
        Assert.True(request.HasIdempotencyKey);
        Read(request.Record, out KeyCommand command);
        Assert.Equal(expected, Encoding.ASCII.GetString(command.Token));
        Assert.NotEqual(default, command.Fingerprint);
    }

    [Fact]
    public async Task Idempotency_key_of_65_bytes_is_too_long()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(Request("PUT", $"Idempotency-Key: \"{new string('k', 65)}\""));
        Assert.StartsWith("HTTP/1.1 400 ", await client.ReceiveAsync(".\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Prefer: wait=5", 5)]
    [InlineData("prefer: respond-async, WAIT = \"5\" ; x=y, wait=7", 5)] // RFC 7240 §2: the first counts
    [InlineData("Prefer: foo=\"a,b\\\"wait=9\"\r\nPrefer: wait=5", 5)]
    [InlineData("Prefer: wait=99999999999999999999", 60)]
    [InlineData("Prefer: wait=0", 0)]
    [InlineData("Prefer: return=minimal", 0)]
    public async Task Wait_is_read_and_clamped(string header, int seconds) =>
        Assert.Equal(seconds * 1000, (await TakeAsync("GET", header)).WaitMilliseconds);

    [Theory]
    [InlineData("Cache-Control: max-stale", long.MaxValue)]
    [InlineData("Cache-Control: MAX-STALE=5", 5000)]
    [InlineData("Cache-Control: max-age=0, max-stale=\"5\"", 5000)]
    [InlineData("Cache-Control: max-stale, max-stale=5", 5000)]
    [InlineData("Cache-Control: max-stale=x", -1)]
    [InlineData("Cache-Control: max-stale=5, no-cache", -1)]
    [InlineData("Cache-Control: no-store", -1)]
    public async Task Staleness_is_read(string header, long milliseconds) =>
        Assert.Equal(milliseconds, (await TakeAsync("GET", header)).StaleMax);

    [Fact]
    public async Task Time_to_live_is_read()
    {
        Read((await TakeAsync("PUT", "RaftFast-TTL: 15")).Record, out KeyCommand command);
        Assert.Equal(15_000, command.Argument);
        Assert.True(command.NeedsTime);
    }

    [Theory]
    [InlineData("GET", "RaftFast-TTL: x")]
    [InlineData("GET", "Idempotency-Key: a b")]
    [InlineData("PUT", "Prefer: wait=x")]
    [InlineData("PUT", "Cache-Control: max-stale=x")]
    public async Task Field_without_meaning_for_the_method_is_ignored(string method, string header)
    {
        ClientRequest request = await TakeAsync(method, header);
        Assert.False(request.IsExtended);
        Assert.Equal(0, request.WaitMilliseconds);
    }

    [Fact]
    public async Task Plain_put_costs_no_byte_more()
    {
        ClientRequest request = await TakeAsync("PUT", "Accept: */*");
        Assert.False(request.IsExtended);
        Assert.Equal(Protocol.Record.LengthOf(PutCommand.PayloadLength(4, 1)), request.Record.Length);
    }

    [Fact]
    public async Task Delete_with_a_condition_is_about_the_key()
    {
        ClientRequest request = await TakeAsync("DELETE", "If-Match: \"5\"\r\nIdempotency-Key: t");
        Assert.Equal(ClientRequestMethod.Delete, request.Method);
        Read(request.Record, out KeyCommand command);
        Assert.Equal(CommandOperation.Delete, command.Operation);
        Assert.Equal("/key"u8, command.Key);
        Assert.Equal("=5", Describe(request.Record));
    }

    [Fact]
    public async Task Delete_without_one_is_about_members()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync("DELETE /5 HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"5\"\r\nIdempotency-Key: t\r\n\r\n");
        Assert.Equal(ClientRequestMethod.RemoveMember, (await server.TakeAsync()).Method);
    }

    [Fact]
    public async Task Key_and_tags_of_the_longest_get_are_kept()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        string key = "/" + new string('k', 8191);
        string tags = string.Join(", ", Enumerable.Range(1, 16).Select(i => $"\"{i}\""));
        await client.SendAsync(
            $"GET {key} HTTP/1.1\r\nHost: h\r\nIf-Match: {tags}\r\nIf-None-Match: \"17\"\r\n\r\n");
        ClientRequest request = await server.TakeAsync();
        Assert.Equal(key, ManualServer.KeyOf(request));
        Assert.Equal(ConditionResult.Hold, request.Conditions.Evaluate(16));
        Assert.Equal(ConditionResult.MatchFailed, request.Conditions.Evaluate(17));
    }

    [Fact]
    public async Task Answers_carry_tag_age_and_applied_preference()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(
            "GET /key HTTP/1.1\r\nHost: h\r\nPrefer: wait=99\r\nCache-Control: max-stale\r\n\r\n");
        ClientRequest request = await server.TakeAsync();
        request.CompleteNotModified(tag: 5, age: 3);
        request.Owner.Resume();
        string answer = await client.ReceiveAsync("\r\n\r\n");
        Assert.StartsWith(
            "HTTP/1.1 304 Not Modified\r\nCache-Control: no-cache\r\nETag: \"5\"\r\nAge: 3\r\n"
            + "Preference-Applied: wait=60\r\nDate: ", answer, StringComparison.Ordinal);
    }

    private static string Request(string method, string header) => method == "PUT"
        ? $"PUT /key HTTP/1.1\r\nHost: h\r\n{header}\r\nContent-Length: 1\r\n\r\nv"
        : $"{method} /key HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n";

    private static async Task<ClientRequest> TakeAsync(string method, string header)
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(Request(method, header));
        return await server.TakeAsync();
    }

    private static void Read(Span<byte> record, out KeyCommand command)
    {
        Assert.Equal(DecodeStatus.Complete, Protocol.Record.TryRead(record, out RecordHeader header));
        ReadOnlySpan<byte> payload = record.Slice(Protocol.Record.HeaderSize, header.PayloadLength);
        Assert.Equal(DecodeStatus.Complete, KeyCommand.TryRead(payload, out command));
    }

    /// <summary>Describes conditions: = for If-Match, ! for If-None-Match.</summary>
    private static string Describe(Span<byte> record)
    {
        Read(record, out KeyCommand command);
        List<string> tags = [];
        Add(command.Conditions.MatchTags, command.Conditions.Kinds, ConditionKinds.Match, ConditionKinds.MatchAny, '=');
        Add(
            command.Conditions.NoneMatchTags, command.Conditions.Kinds, ConditionKinds.NoneMatch,
            ConditionKinds.NoneMatchAny, '!');
        return string.Join(' ', tags);

        void Add(
            ReadOnlySpan<byte> bytes, ConditionKinds kinds, ConditionKinds present, ConditionKinds any, char sign)
        {
            if ((kinds & any) != 0)
                tags.Add($"{sign}*");
            else if ((kinds & present) != 0 && bytes.IsEmpty)
                tags.Add($"{sign}");
            for (; !bytes.IsEmpty; bytes = bytes[8..])
                tags.Add($"{sign}{BitConverter.ToInt64(bytes)}");
        }
    }
}
