using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Server.Threads;

/// <summary>
/// Where one thread sleeps until another has something for it. The sleeper announces itself, looks once more for what it waits for, and
/// parks; a waker first makes that visible, then unparks: with a full fence on both sides, no wake-up is lost.
/// <para>
/// On Linux a futex(2), whose word is the announcement: one system call each for sleeping and waking. A monitor or a semaphore took
/// up to five, besides yielding the processor in a spin before it slept.
/// </para>
/// </summary>
internal sealed unsafe partial class Parker
{
    private const int Awake = 0;
    private const int Asleep = 1;

    private const int FutexWaitPrivate = 0x80;
    private const int FutexWakePrivate = 0x81;

    private static readonly nint FutexNumber = !OperatingSystem.IsLinux() ? 0 : RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 => 98,
        _ => 0,
    };

    /// <summary>Alone on its cache lines: wakers look at it each time.</summary>
    private readonly int[] memory = GC.AllocateArray<int>(96, pinned: true);
    private readonly int* word;

    public Parker() => word = (int*)Marshal.UnsafeAddrOfPinnedArrayElement(memory, 32);

    /// <summary>The sleeper: from here on <see cref="Unpark"/> counts. A full fence.</summary>
    public void Announce() => Interlocked.Exchange(ref *word, Asleep);

    /// <summary>The sleeper: there is something after all.</summary>
    public void Withdraw() => Volatile.Write(ref *word, Awake);

    /// <summary>The sleeper, announced: returns after <see cref="Unpark"/>, after <paramref name="milliseconds"/>, or for no reason.</summary>
    /// <param name="milliseconds">Infinite: Timeout.Infinite.</param>
    public void Park(int milliseconds)
    {
        if (FutexNumber != 0)
            WaitOnFutex(milliseconds);
        else
            WaitOnMonitor(milliseconds);
        Withdraw();
    }

    /// <summary>The sleeper: announces itself and parks until there is something, or for <paramref name="milliseconds"/> in all.</summary>
    /// <param name="isThere">Asked after each announcement; who makes it true unparks.</param>
    /// <param name="milliseconds">Infinite: Timeout.Infinite.</param>
    /// <returns>Whether there is something.</returns>
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

    /// <summary>Any thread, after a full fence.</summary>
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
        _ = SystemCall(FutexNumber, word, FutexWaitPrivate, Asleep, milliseconds == Timeout.Infinite ? null : &timeout);
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
