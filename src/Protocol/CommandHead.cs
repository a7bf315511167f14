namespace RaftFast.Protocol;

/// <summary>
/// Properties that commands of all kinds have. The payload of a record of type <see cref="RecordType.Command"/> begins
/// with the kind: 1 is a <see cref="PutCommand"/>, 2 another <see cref="KeyCommand"/>, 3 a
/// <see cref="TransactionCommand"/>.
/// </summary>
public readonly ref struct CommandHead
{
    private CommandHead(ReadOnlySpan<byte> token, bool needsTime, bool mayBeClients)
    {
        Token = token;
        NeedsTime = needsTime;
        MayBeClients = mayBeClients;
    }

    /// <summary>Idempotency key; empty without one.</summary>
    public ReadOnlySpan<byte> Token { get; }

    /// <inheritdoc cref="KeyCommand.NeedsTime"/>
    public bool NeedsTime { get; }

    /// <inheritdoc cref="KeyCommand.MayBeClients"/>
    public bool MayBeClients { get; }

    /// <summary>
    /// Lowest <see cref="KeyCommand.Version"/> of a program that knows the command. If the version is 2 or more, the
    /// result of the command depends on the state.
    /// </summary>
    public static int VersionOf(ReadOnlySpan<byte> payload) => payload[0];

    /// <summary>Reads a command that is known to be valid.</summary>
    public static CommandHead Read(ReadOnlySpan<byte> payload)
    {
        DecodeStatus status = TryRead(payload, out CommandHead head);
        Invariant.Hold(status == DecodeStatus.Complete);
        return head;
    }

    /// <summary>Reads a command, and verifies the whole of it.</summary>
    public static DecodeStatus TryRead(ReadOnlySpan<byte> payload, out CommandHead head)
    {
        head = default;
        if (IsTransaction(payload))
        {
            DecodeStatus status = TransactionCommand.TryRead(payload, out TransactionCommand transaction);
            if (status == DecodeStatus.Complete)
                head = new(transaction.Token, transaction.NeedsTime, transaction.MayBeClients);
            return status;
        }
        DecodeStatus ofKey = KeyCommand.TryRead(payload, out KeyCommand command);
        if (ofKey == DecodeStatus.Complete)
            head = new(command.Token, command.NeedsTime, command.MayBeClients);
        return ofKey;
    }

    public static bool IsTransaction(ReadOnlySpan<byte> payload) =>
        !payload.IsEmpty && payload[0] == TransactionCommand.Kind;

    /// <summary>Gives a finished record of a client's command the log time, if the command needs one.</summary>
    public static void SetTime(Span<byte> record, in RecordHeader header, long time)
    {
        Span<byte> payload = record.Slice(Record.HeaderSize, header.PayloadLength);
        if (!Read(payload).NeedsTime)
            return;
        if (IsTransaction(payload))
            TransactionCommand.SetTime(payload, time);
        else
            KeyCommand.SetTime(payload, time);
        Record.Finish(record, RecordType.Command, header.PayloadLength);
    }
}
