using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Storage.Disk;

/// <summary>
/// Writes files without a thread that waits: io_uring(7), one write at a time. The thread that calls <see cref="Own"/>
/// begins and ends all writes. <see cref="Descriptor"/> becomes readable when a write may have ended.
/// <para>
/// The kernel works on a completed write only inside a call of the owner (IORING_SETUP_DEFER_TASKRUN, Linux 6.1). So a
/// completion never interrupts the owner, and other threads may end while a write is out.
/// </para>
/// </summary>
public sealed unsafe class DiskRing : IDisposable
{
    private const string ProbeName = "wal-probe.tmp";
    private const int CloseOnExec = Libc.CloseOnExec;
    private const int NonBlocking = 0x800;

    private readonly int ring;
    private readonly int wake;
    private readonly nint queues;
    private readonly nint queuesBytes;
    private readonly RingEntry* entry;
    private readonly nint entryBytes;
    private readonly uint* submissionTail;
    private readonly uint* completionHead;
    private readonly uint* completionTail;
    private readonly uint completionMask;
    private readonly RingCompletion* completions;

    private LinuxFile? file;
    private long offset;
    private nint address;
    private int bytes;
    private int done;
    private bool isSubmitted;

    private DiskRing(int ring, int wake, in RingParameters parameters)
    {
        this.ring = ring;
        this.wake = wake;
        nint submissionEnd = (nint)(parameters.SubmissionArray + parameters.SubmissionEntries * sizeof(uint));
        nint completionEnd = (nint)(parameters.Completions + parameters.CompletionEntries * sizeof(RingCompletion));
        queuesBytes = Math.Max(submissionEnd, completionEnd);
        entryBytes = (nint)parameters.SubmissionEntries * sizeof(RingEntry);
        queues = RingCalls.MapQueues(ring, queuesBytes);
        nint mapped = queues == -1 ? -1 : RingCalls.MapEntries(ring, entryBytes);
        if (mapped == -1)
            return;
        entry = (RingEntry*)mapped;
        submissionTail = (uint*)(queues + (nint)parameters.SubmissionTail);
        completionHead = (uint*)(queues + (nint)parameters.CompletionHead);
        completionTail = (uint*)(queues + (nint)parameters.CompletionTail);
        completionMask = *(uint*)(queues + (nint)parameters.CompletionMask);
        completions = (RingCompletion*)(queues + (nint)parameters.Completions);
        // The queue of one entry always names that entry.
        *(uint*)(queues + (nint)parameters.SubmissionArray) = 0;
    }

    /// <summary>
    /// eventfd(2) that is signalled when a write may have ended, and by <see cref="Signal"/>. Wait for the descriptor
    /// edge-triggered, and read nothing: the number in it means nothing.
    /// </summary>
    public int Descriptor => wake;

    /// <summary>True from a begin until the end of the write.</summary>
    public bool IsWriting => file is not null;

    private bool IsMapped => entry is not null;

    /// <summary>Makes a ring, after a real write through another ring to a new file of this disk.</summary>
    /// <param name="refusal">The reason if the result is null.</param>
    /// <returns>Null if the system or the file system refuses io_uring, or the disk is full.</returns>
    /// <exception cref="StorageException">The write has failed for a reason that concerns other writes too.</exception>
    public static DiskRing? TryOpen(IDisk disk, out string refusal)
    {
        if (!Libc.IsKnown)
        {
            refusal = "io_uring is Linux's, on x64 and arm64";
            return null;
        }
        int error;
        using (DiskRing? probe = TryCreate(out error))
        {
            if (probe is not null && !probe.TryWrite(disk, out error, out refusal))
                return null;
        }
        DiskRing? ring = error == 0 ? TryCreate(out error) : null;
        refusal = error == 0 ? "" : Marshal.GetPInvokeErrorMessage(error);
        return ring;
    }

    /// <summary>Makes the calling thread the owner: the only thread that begins and ends writes.</summary>
    public void Own()
    {
        if (RingCalls.Register(ring, RingCalls.EnableRings, null, 0) < 0)
            throw new StorageException($"can't enable io_uring: {Libc.LastMessage}; start with --log-io thread");
    }

    /// <summary>Signals <see cref="Descriptor"/>. Any thread.</summary>
    public void Signal()
    {
        ulong one = 1;
        _ = RingCalls.Write(wake, &one, sizeof(ulong));
    }

    /// <summary>
    /// Begins to write as <see cref="IDiskFile.Write"/> does. The data and the file stay until the end of the write.
    /// </summary>
    /// <returns>False if the system can't take the write for now. Nothing is written then.</returns>
    public bool TryBegin(IDiskFile destination, long at, ReadOnlySpan<byte> data)
    {
        Invariant.Hold(!IsWriting);
        Invariant.Hold(data.Length > 0);
        fixed (byte* start = data)
        {
            Invariant.Hold(AlignedMemory.IsAligned(at, data.Length, start));
            address = (nint)start;
        }
        file = (LinuxFile)destination;
        offset = at;
        bytes = data.Length;
        done = 0;
        if (!TrySubmit())
            file = null;
        return IsWriting;
    }

    /// <summary>Ends the write if it has ended. Never waits.</summary>
    /// <returns>True if the data is on stable storage.</returns>
    /// <exception cref="StorageException">The write has failed, and is never tried again.</exception>
    public bool TryEnd()
    {
        Invariant.Hold(IsWriting);
        if (isSubmitted)
        {
            if (!TryTake(out int result))
                return false;
            isSubmitted = false;
            if (result <= 0)
                throw file!.WriteFailure(-result, offset + done);
            done += result;
        }
        if (done < bytes)
        {
            // A short write. If the system can't take the rest for now, it is asked again at the next signal.
            if (!TrySubmit())
                Signal();
            return false;
        }
        file = null;
        return true;
    }

    /// <summary>Closes the ring. A write that is out may still reach the disk.</summary>
    public void Dispose()
    {
        if (IsMapped)
            _ = RingCalls.Unmap((nint)entry, entryBytes);
        if (queues != -1)
            _ = RingCalls.Unmap(queues, queuesBytes);
        _ = RingCalls.Close(ring);
        _ = RingCalls.Close(wake);
    }

    private static DiskRing? TryCreate(out int error)
    {
        error = 0;
        RingParameters parameters = new()
        {
            Flags = RingCalls.SingleIssuer | RingCalls.DeferTaskRun | RingCalls.Disabled,
        };
        int ring = RingCalls.Setup(1, &parameters);
        if (ring < 0)
        {
            error = Refusal("set up io_uring", Libc.LastError);
            return null;
        }
        int wake = RingCalls.EventDescriptor(0, CloseOnExec | NonBlocking);
        if (wake < 0)
        {
            error = Libc.LastError;
            _ = RingCalls.Close(ring);
            throw new StorageException($"can't make an eventfd: {Marshal.GetPInvokeErrorMessage(error)}");
        }
        DiskRing made = new(ring, wake, parameters);
        if (!made.IsMapped || RingCalls.Register(ring, RingCalls.RegisterEventDescriptor, &wake, 1) < 0)
        {
            error = Libc.LastError;
            made.Dispose();
            error = Refusal("map io_uring", error);
            return null;
        }
        Invariant.Hold((parameters.Features & RingCalls.SingleMap) != 0);
        Invariant.Hold(parameters.SubmissionEntries == 1);
        return made;
    }

    /// <summary>Returns an error that refuses io_uring to this process. Throws for any other error.</summary>
    private static int Refusal(string what, int error) => IsRefusal(error)
        ? error
        : throw new StorageException(
            $"can't {what}: {Marshal.GetPInvokeErrorMessage(error)}; start with --log-io thread");

    /// <summary>
    /// True for an error that refuses io_uring to this process. The cause is the system or its version, a filter, the
    /// file system, or a limit on locked memory.
    /// </summary>
    private static bool IsRefusal(int error) => error is RingCalls.OperationNotPermitted or RingCalls.NoSystemCall
        or Libc.InvalidArgument or RingCalls.NoMemory or Libc.NotSupported;

    /// <summary>Writes a block of zeros to a new file, and waits for its end.</summary>
    private bool TryWrite(IDisk disk, out int error, out string refusal)
    {
        error = 0;
        refusal = "";
        Own();
        if (disk.Exists(ProbeName))
            disk.Delete(ProbeName);
        try
        {
            using IDiskFile probe = disk.Create(ProbeName, IDisk.Alignment);
            if (probe is not LinuxFile linux)
            {
                refusal = "the disk is not a directory of this system";
                return false;
            }
            using AlignedMemory zeros = new(IDisk.Alignment);
            zeros.Span.Clear();
            error = Write(linux, zeros);
            refusal = error == 0 ? "" : Marshal.GetPInvokeErrorMessage(error);
            return error == 0;
        }
        catch (DiskFullException)
        {
            refusal = "the disk has no room to try it";
            return false;
        }
        finally
        {
            if (disk.Exists(ProbeName))
                disk.Delete(ProbeName);
        }
    }

    /// <returns>0, or the error of a refusal.</returns>
    private int Write(LinuxFile probe, AlignedMemory data)
    {
        file = probe;
        address = data.Address;
        bytes = data.Length;
        offset = done = 0;
        if (!TrySubmit())
            return RingCalls.NoMemory;
        int result;
        while (!TryTake(out result))
            Enter(toSubmit: 0, completionsMin: 1);
        isSubmitted = false;
        file = null;
        if (result == data.Length)
            return 0;
        return IsRefusal(-result) ? -result : throw probe.WriteFailure(Math.Max(0, -result), 0);
    }

    private bool TrySubmit()
    {
        *entry = new RingEntry
        {
            Operation = RingCalls.WriteOperation,
            Descriptor = file!.Number,
            Offset = offset + done,
            Address = address + done,
            Length = bytes - done,
            WriteFlags = RingCalls.DataSync,
        };
        uint tail = *submissionTail;
        Volatile.Write(ref *submissionTail, tail + 1);
        isSubmitted = Enter(toSubmit: 1, completionsMin: 0) == 1;
        // An entry that the kernel has not taken is taken back.
        if (!isSubmitted)
            Volatile.Write(ref *submissionTail, tail);
        return isSubmitted;
    }

    private bool TryTake(out int result)
    {
        uint head = *completionHead;
        if (head == Volatile.Read(ref *completionTail))
            Enter(toSubmit: 0, completionsMin: 0);
        bool isThere = head != Volatile.Read(ref *completionTail);
        result = isThere ? completions[head & completionMask].Result : 0;
        if (isThere)
            Volatile.Write(ref *completionHead, head + 1);
        return isThere;
    }

    /// <summary>Submits, and lets the kernel work on what has completed.</summary>
    /// <returns>Number of entries that the kernel has taken.</returns>
    private int Enter(uint toSubmit, uint completionsMin)
    {
        uint flags = toSubmit == 0 ? RingCalls.GetEvents : 0;
        while (true)
        {
            int taken = RingCalls.Enter(ring, toSubmit, completionsMin, flags);
            if (taken >= 0)
                return taken;
            if (Libc.LastError is RingCalls.TryAgain or RingCalls.Busy or RingCalls.NoMemory)
                return 0;
            if (Libc.LastError != Libc.Interrupted)
                throw new StorageException($"can't enter io_uring: {Libc.LastMessage}; start with --log-io thread");
        }
    }
}
