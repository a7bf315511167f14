namespace RaftFast.Storage.Tests.Disk;

/// <summary>When in an operation of the disk the process dies.</summary>
public enum DeathMoment
{
    Before,

    /// <summary>Every other sector of a write has got there. Other operations are atomic: as Before.</summary>
    During,

    After,
}
