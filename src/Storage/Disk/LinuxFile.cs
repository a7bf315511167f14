using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RaftFast.Protocol;

namespace RaftFast.Storage.Disk;

/// <summary>A file opened by open(2) with the flags of a <see cref="DiskWriteMode"/>.</summary>
internal sealed unsafe class LinuxFile : IDiskFile
{
    private readonly SafeFileHandle handle;
    private readonly string path;
    private readonly bool syncsItself;

    private LinuxFile(SafeFileHandle handle, string path, bool syncsItself)
    {
        this.handle = handle;
        this.path = path;
        this.syncsItself = syncsItself;
    }

    public long Length => RandomAccess.GetLength(handle);

    /// <summary>Number of the file descriptor, valid until <see cref="Dispose"/>.</summary>
    public int Number => (int)handle.DangerousGetHandle();

    public static LinuxFile Open(string path, DiskWriteMode mode)
    {
        if (mode == DiskWriteMode.ReadOnly)
            return new LinuxFile(Descriptor(path, Libc.ReadOnly | Libc.CloseOnExec), path, syncsItself: false);
        const int flags = Libc.ReadWrite | Libc.CloseOnExec;
        if (mode == DiskWriteMode.Buffered)
            return new LinuxFile(Descriptor(path, flags), path, syncsItself: false);
        int direct = Call(path, flags | Libc.DataSync | Libc.Direct);
        SafeFileHandle handle = direct < 0 && Libc.LastError == Libc.InvalidArgument
            ? Descriptor(path, flags | Libc.DataSync)
            : Checked(direct, path);
        return new LinuxFile(handle, path, syncsItself: true);
    }

    /// <summary>
    /// Makes an empty file, without O_DIRECT: a file system that refuses the flag may make the file before it refuses.
    /// </summary>
    /// <returns>False if the disk or the user's quota has no room. A name or an inode may need a block.</returns>
    public static bool TryCreate(string path)
    {
        int descriptor = Call(path, Libc.ReadWrite | Libc.CloseOnExec | Libc.Create | Libc.Exclusive);
        if (descriptor < 0 && IsFull(Libc.LastError))
            return false;
        Checked(descriptor, path).Dispose();
        return true;
    }

    public int Read(long offset, Span<byte> destination)
    {
        int done = 0;
        fixed (byte* buffer = destination)
        {
            Invariant.Hold(AlignedMemory.IsAligned(offset, destination.Length, buffer));
            // A count that isn't a multiple of the alignment ends at the end of the file. O_DIRECT can't continue from
            // there.
            while (done < destination.Length && done % IDisk.Alignment == 0)
            {
                nint count = Libc.Read(handle, buffer + done, destination.Length - done, offset + done);
                if (count == 0)
                    break;
                if (count > 0)
                    done += (int)count;
                else if (Libc.LastError != Libc.Interrupted)
                    throw Failure("read", offset + done);
            }
        }
        return done;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        if (!TryWrite(offset, data))
            throw Overwriting(offset, Libc.LastMessage);
    }

    /// <summary>Describes a failed write of <see cref="DiskRing"/>.</summary>
    /// <param name="error">Error number; 0 if the write wrote nothing.</param>
    public StorageException WriteFailure(int error, long offset)
    {
        string message = error == 0 ? "nothing was written" : Marshal.GetPInvokeErrorMessage(error);
        return IsFull(error) ? Overwriting(offset, message) : Failure("write", offset, message);
    }

    /// <summary>
    /// Allocates blocks for the whole file at once. The blocks are then contiguous if possible, and a full disk shows
    /// before the first write.
    /// </summary>
    /// <returns>False if the disk is full.</returns>
    public bool TryAllocate(long bytes)
    {
        while (Libc.Allocate(handle, 0, 0, bytes) < 0)
        {
            if (IsFull(Libc.LastError))
                return false;
            if (Libc.LastError == Libc.NotSupported)
                return true;
            if (Libc.LastError != Libc.Interrupted)
                throw Failure("allocate", 0);
        }
        return true;
    }

    public bool TryWrite(long offset, ReadOnlySpan<byte> data)
    {
        fixed (byte* buffer = data)
        {
            Invariant.Hold(AlignedMemory.IsAligned(offset, data.Length, buffer));
            int done = 0;
            while (done < data.Length)
            {
                nint count = Libc.Write(handle, buffer + done, data.Length - done, offset + done);
                if (count >= 0)
                    done += (int)count;
                else if (IsFull(Libc.LastError))
                    return false;
                else if (Libc.LastError != Libc.Interrupted)
                    throw Failure("write", offset + done);
            }
        }
        // fdatasync is not retried even after EINTR: a second call may report success for pages that the first call
        // lost. Some file systems allocate room for the pages only in fdatasync.
        if (syncsItself || Libc.SyncData(handle) == 0)
            return true;
        return IsFull(Libc.LastError) ? false : throw Failure("sync", offset);
    }

    public void Sync()
    {
        if (Libc.SyncData(handle) < 0)
            throw Failure("sync", 0);
    }

    public void Dispose() => handle.Dispose();

    /// <summary>Makes all creations, renames and deletions in a directory durable, on any Unix.</summary>
    public static void SyncDirectory(string path)
    {
        using SafeFileHandle directory = Descriptor(path, Libc.ReadOnly);
        if (Libc.Sync(directory) < 0)
        {
            throw new StorageException(
                $"can't sync the directory {path}: {Libc.LastMessage}; check the disk, then start again");
        }
    }

    /// <summary>
    /// True for no space, a quota, and a limit on the size of files (ulimit -f): the operator can mend each of them.
    /// </summary>
    private static bool IsFull(int error) => error is Libc.NoSpace or Libc.QuotaExceeded or Libc.FileTooLarge;

    private static SafeFileHandle Descriptor(string path, int flags) => Checked(Call(path, flags), path);

    private static int Call(string path, int flags)
    {
        int descriptor;
        do
            descriptor = Libc.Open(path, flags, Libc.OwnerOnly);
        while (descriptor < 0 && Libc.LastError == Libc.Interrupted);
        return descriptor;
    }

    private static SafeFileHandle Checked(int descriptor, string path) => descriptor >= 0
        ? new SafeFileHandle(descriptor, ownsHandle: true)
        : throw new StorageException($"can't open {path}: {Libc.LastMessage}; make it accessible to this user");

    /// <summary>
    /// The file's blocks are allocated. On some file systems an overwrite goes to other blocks, and needs room.
    /// </summary>
    private StorageException Overwriting(long offset, string message) => new(
        $"can't write {path} at byte {offset}: {message}; on a file system that copies on write, and on a "
        + "thin volume, a write to reserved space needs room too: free some space, then start again");

    private StorageException Failure(string operation, long offset) => Failure(operation, offset, Libc.LastMessage);

    private StorageException Failure(string operation, long offset, string message) =>
        new($"can't {operation} {path} at byte {offset}: {message}; check the disk, then start again");
}
