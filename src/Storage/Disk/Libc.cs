using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RaftFast.Storage.Disk;

/// <summary>
/// Calls of Linux's libc that .NET does not offer: open(2) with flags, fdatasync, fallocate, fsync of a directory,
/// flock, madvise.
/// </summary>
internal static unsafe partial class Libc
{
    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int DataSync = 0x1000;

    /// <summary>Mode of a file that only its owner may read and write.</summary>
    public const int OwnerOnly = 0x180; // rw-------

    public const int CloseOnExec = 0x80000;

    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    public const int InvalidArgument = 22;
    public const int FileTooLarge = 27;
    public const int NoSpace = 28;
    public const int NotSupported = 95;
    public const int QuotaExceeded = 122;

    public const int AdviceHugePages = 14;
    public const int AdvicePopulate = 23;

    public const int LockShared = 1;
    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;

    /// <summary>O_DIRECT, one of the few flags that differ between architectures (asm/fcntl.h).</summary>
    public static int Direct =>
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000 : 0x4000;

    /// <summary>True on systems and architectures whose constants are the ones above.</summary>
    public static bool IsKnown =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public static int LastError => Marshal.GetLastPInvokeError();

    public static string LastMessage => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint Read(SafeFileHandle file, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint Write(SafeFileHandle file, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int SyncData(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    public static partial int Advise(void* address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    /// <summary>
    /// Inode number of the path, or of the open file if <paramref name="path"/> is empty; 0 if there is none
    /// (statx(2)).
    /// </summary>
    public static long Inode(SafeFileHandle? file, string path)
    {
        const int currentDirectory = -100;
        const int emptyPath = 0x1000;
        const uint inode = 0x100;
        const int inodeOffset = 32;
        byte* result = stackalloc byte[256];
        bool ofFile = file is not null;
        int descriptor = ofFile ? (int)file!.DangerousGetHandle() : currentDirectory;
        int error = StatX(descriptor, path, ofFile ? emptyPath : 0, inode, result);
        GC.KeepAlive(file);
        return error == 0 ? *(long*)(result + inodeOffset) : 0;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, byte* result);
}
