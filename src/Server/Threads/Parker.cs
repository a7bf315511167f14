using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Server.Threads;

/// <summary>
/// Place for one thread to sleep until another thread has work for it. The sleeper announces itself, looks for work
/// once more, and parks. A waker first makes the work visible, then unparks. A full fence on both sides ensures that no
/// wake-up is lost.
/// <para>
/// On Linux this is a futex(2) whose word is the announcement: one system call each for sleeping and waking. A monitor
/// or a semaphore took up to five system calls, and yielded the processor in a spin before the thread slept.
/// </para>
/// </summary>
internal sealed unsafe partial class Parker
{
    private const int Awake = 0;
    private const int Asleep = 1;

    private const int FutexWaitPrivate = 0x80;
    private const int FutexWakePrivate = 0x81;

    /// <summary>Number of the system call futex(2); 0 if this platform has none.</summary>
    private static readonly nint FutexNumber = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 when OperatingSystem.IsLinux() => 202,
        Architecture.Arm64 when OperatingSystem.IsLinux() => 98,
        _ => 0,
    };

    /// <summary>Holds the word alone on its cache lines, because every waker reads the word.</summary>
    private readonly int[] memory = GC.AllocateArray<int>(96, pinned: true);
    private readonly int* word;

    public Parker() => word = (int*)Marshal.UnsafeAddrOfPinnedArrayElement(memory, 32);

    /// <summary>Called by the sleeper: from now on <see cref="Unpark"/> wakes it. A full fence.</summary>
    public void Announce() => Interlocked.Exchange(ref *word, Asleep);

    /// <summary>Called by the sleeper when it has found work after its announcement.</summary>
    public void Withdraw() => Volatile.Write(ref *word, Awake);

    /// <summary>
    /// Called by the sleeper after its announcement. Returns after <see cref="Unpark"/>, after
    /// <paramref name="milliseconds"/>, or for no reason.
    /// </summary>
    /// <param name="milliseconds">Time to sleep, or Timeout.Infinite.</param>
    public void Park(int milliseconds)
    {
        if (FutexNumber != 0)
            WaitOnFutex(milliseconds);
        else
            WaitOnMonitor(milliseconds);
        Withdraw();
    }

    /// <summary>
    /// Called by the sleeper: announces itself and parks until there is work, for at most
    /// <paramref name="milliseconds"/> in all.
    /// </summary>
    /// <param name="isThere">True if there is work. The thread that makes this true calls <see cref="Unpark"/>.</param>
    /// <param name="milliseconds">Time to sleep, or Timeout.Infinite.</param>
    /// <returns>True if there is work.</returns>
    public bool Await(Func<bool> isThere, int milliseconds)
    {
        bool isEndless = milliseconds == Timeout.Infinite;
        Invariant.Hold(isEndless || milliseconds >= 0);
        long deadline = Environment.TickCount64 + milliseconds;
        while (!isThere())
        {
            long left = isEndless ? Timeout.Infinite : deadline - Environment.TickCount64;
            if (!isEndless && left <= 0)
                return false;
            Announce();
            if (isThere())
                Withdraw();
            else
                Park((int)left);
        }
        return true;
    }

    /// <summary>Wakes the sleeper. Called on any thread, after a full fence.</summary>
    public void Unpark()
    {
        if (Volatile.Read(ref *word) == Awake || Interlocked.Exchange(ref *word, Awake) == Awake)
            return;
        if (FutexNumber != 0)
        {
            _ = SystemCall(FutexNumber, word, FutexWakePrivate, 1, null);
            return;
        }
        lock (memory)
            Monitor.Pulse(memory);
    }

    private void WaitOnFutex(int milliseconds)
    {
        TimeSpec timeout = new() { Seconds = milliseconds / 1000, Nanoseconds = milliseconds % 1000 * 1_000_000 };
        TimeSpec* limit = milliseconds == Timeout.Infinite ? null : &timeout;
        _ = SystemCall(FutexNumber, word, FutexWaitPrivate, Asleep, limit);
    }

    private void WaitOnMonitor(int milliseconds)
    {
        lock (memory)
        {
            if (Volatile.Read(ref *word) == Asleep)
                Monitor.Wait(memory, milliseconds);
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, int* word, nint operation, nint value, TimeSpec* timeout);

    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
