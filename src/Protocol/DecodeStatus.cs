namespace RaftFast.Protocol;

/// <summary>What a decoder made of its input. Malformed input is ordinary, so it is a value.</summary>
public enum DecodeStatus : byte
{
    Complete,

    /// <summary>Valid so far; more bytes are needed.</summary>
    Incomplete,

    /// <summary>No further bytes can make it valid.</summary>
    Invalid,
}
