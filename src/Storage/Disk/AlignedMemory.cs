using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Storage.Disk;

/// <summary>
/// Native memory aligned for a disk's transfers (<see cref="IDisk.Alignment"/>). The contents are undefined at first.
/// </summary>
internal sealed unsafe class AlignedMemory : IDisposable
{
    private byte* pointer;

    public AlignedMemory(int length)
    {
        Invariant.Hold(length > 0 && length % IDisk.Alignment == 0);
        Length = length;
        pointer = (byte*)NativeMemory.AlignedAlloc((nuint)length, IDisk.Alignment);
    }

    public int Length { get; }

    public nint Address => (nint)pointer;

    public Span<byte> Span
    {
        get
        {
            Invariant.Hold(pointer is not null);
            return new(pointer, Length);
        }
    }

    /// <summary>Smallest multiple of the alignment that is at least <paramref name="length"/>.</summary>
    public static int RoundUp(int length) => (length + IDisk.Alignment - 1) & -IDisk.Alignment;

    public static bool IsAligned(long offset, int length, void* address) =>
        offset % IDisk.Alignment == 0 && length % IDisk.Alignment == 0 && (nuint)address % IDisk.Alignment == 0;

    public void Dispose()
    {
        NativeMemory.AlignedFree(pointer);
        pointer = null;
    }
}
