namespace RaftFast.Storage.Store;

/// <summary>Outcome of an applied entry.</summary>
/// <param name="changed">Key that the entry has changed; empty if none. Lies in the entry's record.</param>
public readonly ref struct ApplyResult(CommandResult result, ReadOnlySpan<byte> changed)
{
    public ApplyResult(CommandStatus status, long tag, ReadOnlySpan<byte> changed)
        : this(new CommandResult(status, tag), changed)
    {
    }

    public CommandResult Result { get; } = result;

    public CommandStatus Status => Result.Status;

    /// <inheritdoc cref="CommandResult"/>
    public long Tag => Result.Tag;

    /// <summary>
    /// Key that the entry has changed; empty if none. A transaction names the keys that it has changed itself.
    /// </summary>
    public ReadOnlySpan<byte> Changed { get; } = changed;
}

/// <summary>Outcome of a command.</summary>
/// <param name="Tag">Index of the key's last write after the entry; 0 if the key does not exist. For a transaction the
/// index of its entry.</param>
/// <param name="Part">Ordinal of the condition or operation at which a transaction failed, from 0; else 0.</param>
/// <param name="IsRepeated">True if this is the remembered outcome of an earlier entry with the same idempotency
/// key.</param>
public readonly record struct CommandResult(CommandStatus Status, long Tag, int Part = 0, bool IsRepeated = false);

/// <summary>Result of a command. The values are on disk and on the wire.</summary>
public enum CommandStatus : byte
{
    Done = 0,

    /// <summary>A condition did not hold, and nothing was changed.</summary>
    ConditionFailed = 1,

    /// <summary>The idempotency key belongs to another request, and nothing was changed.</summary>
    KeyReused = 2,

    /// <summary>
    /// A transaction would delete too many keys by their prefix, or read too many bytes. Nothing was changed.
    /// </summary>
    TooLarge = 3,
}
