namespace RaftFast.Protocol;

/// <summary>Result of decoding. Malformed input is ordinary, so the result is a value and not an exception.</summary>
public enum DecodeStatus : byte
{
    Complete,

    /// <summary>Valid so far; more bytes are needed.</summary>
    Incomplete,

    /// <summary>No further bytes can make the input valid.</summary>
    Invalid,
}
