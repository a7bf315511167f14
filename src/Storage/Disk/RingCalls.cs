using System.Runtime.InteropServices;

namespace RaftFast.Storage.Disk;

/// <summary>
/// System calls and memory of io_uring(7): io_uring_setup(2), io_uring_enter(2), io_uring_register(2). The numbers and
/// layouts are the same on x64 and arm64.
/// </summary>
internal static unsafe partial class RingCalls
{
    public const int OperationNotPermitted = 1;
    public const int TryAgain = 11;
    public const int NoMemory = 12;
    public const int Busy = 16;
    public const int NoSystemCall = 38;

    public const uint SingleIssuer = 1 << 12;
    public const uint DeferTaskRun = 1 << 13;
    public const uint Disabled = 1 << 6;

    /// <summary>Both queues are in one mapping. Linux 5.4 and later.</summary>
    public const uint SingleMap = 1;

    public const uint GetEvents = 1;

    public const uint RegisterEventDescriptor = 4;
    public const uint EnableRings = 12;

    public const byte WriteOperation = 23;

    /// <summary>RWF_DSYNC: the write completes when data and size are on stable storage, as with O_DSYNC.</summary>
    public const uint DataSync = 2;

    private const nint SetupNumber = 425;
    private const nint EnterNumber = 426;
    private const nint RegisterNumber = 427;

    private const int ReadWriteMemory = 3;
    private const int SharedPopulated = 0x8001;
    private const int EntriesOffset = 0x10000000;

    public static int Setup(uint entries, RingParameters* parameters) =>
        (int)Call(SetupNumber, (nint)entries, (nint)parameters, 0, 0, 0, 0);

    /// <returns>Number of entries taken; -1 if <see cref="Libc.LastError"/> says why.</returns>
    public static int Enter(int ring, uint toSubmit, uint completionsMin, uint flags) =>
        (int)Call(EnterNumber, ring, (nint)toSubmit, (nint)completionsMin, (nint)flags, 0, 0);

    public static int Register(int ring, uint operation, void* argument, uint count) =>
        (int)Call(RegisterNumber, ring, (nint)operation, (nint)argument, (nint)count, 0, 0);

    /// <returns>-1 if <see cref="Libc.LastError"/> says why.</returns>
    public static nint MapQueues(int ring, nint bytes) =>
        Map(0, bytes, ReadWriteMemory, SharedPopulated, ring, 0);

    /// <inheritdoc cref="MapQueues"/>
    public static nint MapEntries(int ring, nint bytes) =>
        Map(0, bytes, ReadWriteMemory, SharedPopulated, ring, EntriesOffset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    public static partial int Unmap(nint address, nint bytes);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint bytes, int protection, int flags, int descriptor, nint offset);
}

/// <summary>struct io_uring_params: what the caller asks for, and where the kernel has put it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal struct RingParameters
{
    [FieldOffset(0)] public uint SubmissionEntries;
    [FieldOffset(4)] public uint CompletionEntries;
    [FieldOffset(8)] public uint Flags;
    [FieldOffset(20)] public uint Features;

    // Offsets in the mapping of both queues.
    [FieldOffset(44)] public uint SubmissionTail;
    [FieldOffset(64)] public uint SubmissionArray;
    [FieldOffset(80)] public uint CompletionHead;
    [FieldOffset(84)] public uint CompletionTail;
    [FieldOffset(88)] public uint CompletionMask;
    [FieldOffset(100)] public uint Completions;
}

/// <summary>struct io_uring_sqe: an operation, here a write.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct RingEntry
{
    [FieldOffset(0)] public byte Operation;
    [FieldOffset(4)] public int Descriptor;
    [FieldOffset(8)] public long Offset;
    [FieldOffset(16)] public nint Address;
    [FieldOffset(24)] public int Length;
    [FieldOffset(28)] public uint WriteFlags;
}

/// <summary>struct io_uring_cqe: the outcome of an operation.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct RingCompletion
{
    /// <summary>Bytes written, or an error number with a minus.</summary>
    [FieldOffset(8)] public int Result;
}
