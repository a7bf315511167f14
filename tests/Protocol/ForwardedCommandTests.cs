namespace RaftFast.Protocol.Tests;

/// <summary>
/// A forwarded command is proposed as it came. A command that no client can have sent would end every member, or change
/// state that belongs to no client. So the frame is refused.
/// </summary>
public sealed class ForwardedCommandTests
{
    [Fact]
    public void Commands_of_clients_are_valid()
    {
        Assert.True(IsValid(Plain("/key")));
        Assert.True(IsValid(Encode(CommandOperation.Put, "/key", KeyCommand.TimeToLiveSecondsMax * 1000)));
        Assert.True(IsValid(Encode(CommandOperation.Delete, "/key", 0)));
    }

    [Fact]
    public void Key_that_is_no_request_target_is_refused()
    {
        Assert.False(IsValid(Plain("\0outabc")));
        Assert.False(IsValid(Encode(CommandOperation.Delete, "\0clock", 0)));
        Assert.False(IsValid(Plain("key")));
    }

    [Fact]
    public void Commands_that_only_a_leader_proposes_are_refused()
    {
        Assert.False(IsValid(Encode(CommandOperation.Expire, "/key", 5)));
        Assert.False(IsValid(Encode(CommandOperation.Forget, "", 5)));
    }

    [Fact]
    public void Time_and_time_to_live_that_no_client_can_give_are_refused()
    {
        Assert.False(IsValid(Encode(CommandOperation.Put, "/key", (KeyCommand.TimeToLiveSecondsMax * 1000) + 1)));
        Assert.False(IsValid(Encode(CommandOperation.Put, "/key", 1000, time: 1)));
        Assert.False(IsValid(Encode(CommandOperation.Put, "/key", 0, time: LogPosition.Greatest)));
    }

    private static bool IsValid(byte[] record) => Frame.RecordsAreValid(
        new Message { Type = MessageType.Forward, Count = 1, Context = 1 }, record);

    private static byte[] Plain(string key)
    {
        byte[] payload = new byte[PutCommand.PayloadLength(key.Length, 1)];
        PutCommand.WriteKey(payload, System.Text.Encoding.ASCII.GetBytes(key));
        return RecordOf(payload);
    }

    private static byte[] Encode(CommandOperation operation, string key, long argument, long time = 0)
    {
        byte[] payload = new byte[KeyCommand.HeaderSize + key.Length];
        KeyCommand.WriteHead(
            payload, operation, default, default, System.Text.Encoding.ASCII.GetBytes(key), argument, time);
        return RecordOf(payload);
    }

    private static byte[] RecordOf(byte[] payload)
    {
        byte[] record = new byte[Record.LengthOf(payload.Length)];
        payload.CopyTo(record.AsSpan(Record.HeaderSize));
        Record.Finish(record, RecordType.Command, payload.Length);
        return record;
    }
}
