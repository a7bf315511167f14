namespace RaftFast.Storage.Log;

/// <summary>A segment's file, for a person.</summary>
/// <param name="Bytes">Of the file.</param>
/// <param name="FirstIndex">Of the entries in it; 0 if it is no part of the log, or was not read.</param>
/// <param name="LastIndex">Of the log, where the segment ends.</param>
public sealed record WalSegmentFile(string Name, long Bytes, long FirstIndex, long LastIndex);
