using System.Runtime.InteropServices;

namespace RaftFast.Server.Sockets.Epoll;

/// <summary>
/// Calls of Linux's libc for sockets that never block, and for epoll(7). The calls on sockets are short, so they leave
/// out the runtime's bookkeeping for blocking calls.
/// </summary>
internal static unsafe partial class EpollCalls
{
    public const uint Input = 0x1;
    public const uint Output = 0x4;
    public const uint Error = 0x8;
    public const uint HangUp = 0x10;
    public const uint PeerClosed = 0x2000;
    public const uint EdgeTriggered = 1u << 31;

    public const int CloseOnExec = 0x80000;
    public const int NonBlocking = 0x800;
    public const int Add = 1;

    public const int Interrupted = 4;
    public const int WouldBlock = 11;

    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;

    /// <summary>Maximum spans that are sent at once.</summary>
    public const int SpansMax = 16;

    /// <summary>
    /// True where this transport works: Linux, on a processor whose layout of <see cref="EpollEvents"/> is known.
    /// </summary>
    public static bool IsSupported =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>Error of the last call that failed, except of a receive or a send.</summary>
    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>Error of a receive or a send that has just failed.</summary>
    public static int LastTransferError => Marshal.GetLastSystemError();

    /// <returns>Number of bytes; 0 at the end; -1 if <see cref="LastTransferError"/> says why.</returns>
    public static nint Receive(int socket, byte* buffer, int length) => Receive(socket, buffer, length, DontWait);

    /// <returns>Number of bytes, or -1 if <see cref="LastTransferError"/> says why.</returns>
    public static nint Send(int socket, ByteSpan* spans, int count)
    {
        if (count == 1)
            return Send(socket, spans->Start, (nint)spans->Length, DontWait | NoSignal);
        MessageHeader message = new() { Spans = spans, SpanCount = (nuint)count };
        return SendMessage(socket, &message, DontWait | NoSignal);
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int Control(int epoll, int operation, int descriptor, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int Wait(int epoll, byte* events, int eventsMax, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "recv")]
    [SuppressGCTransition]
    private static partial nint Receive(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    [SuppressGCTransition]
    private static partial nint Send(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    [SuppressGCTransition]
    private static partial nint SendMessage(int socket, MessageHeader* message, int flags);

    /// <summary>msghdr of recvmsg(2), on 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public void* Name;
        public nuint NameLength;
        public ByteSpan* Spans;
        public nuint SpanCount;
        public void* Control;
        public nuint ControlLength;
        public nint Flags;
    }
}

/// <summary>iovec of readv(2).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ByteSpan
{
    public byte* Start;
    public nuint Length;
}

/// <summary>
/// Array of epoll_event: 32 bits of events and 64 bits of data. On x64 the structure is packed, elsewhere it is not.
/// </summary>
internal static unsafe class EpollEvents
{
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    public static readonly int Size = DataOffset + sizeof(ulong);

    public static void Write(byte* epollEvent, uint events, long data)
    {
        *(uint*)epollEvent = events;
        *(long*)(epollEvent + DataOffset) = data;
    }

    public static uint Flags(byte* events, int index) => *(uint*)(events + index * Size);

    public static long Data(byte* events, int index) => *(long*)(events + index * Size + DataOffset);
}
