using System.Numerics;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Sizes in which the store allocates memory for entries: every multiple of 8 from 24 to 128 bytes, then eight steps
/// for each doubling. So rounding up wastes less than an eighth (or 7 bytes).
/// </summary>
internal static class SizeClasses
{
    /// <summary>
    /// Largest size that is cut from slabs; a slab holds seven. A larger entry has a block of its own
    /// (<see cref="LargeBlocks"/>).
    /// </summary>
    public const int SlotBytesMax = 32 * 1024;

    /// <summary>Number of classes up to <see cref="SlotBytesMax"/>.</summary>
    public const int SlabClasses = LinearClasses + 8 * 8;

    private const int LinearBytesMax = 128;
    private const int LinearClasses = LinearBytesMax / 8 - 2;

    /// <summary>
    /// Number of the class with the smallest size that holds <paramref name="bytes"/>. Numbers are consecutive, from 0.
    /// </summary>
    public static int Of(int bytes)
    {
        Invariant.Hold(bytes > 0);
        if (bytes <= LinearBytesMax)
            return Math.Max(0, (bytes + 7) / 8 - 3);
        int shift = BitOperations.Log2((uint)bytes - 1) - 3;
        return LinearClasses + (shift - 4) * 8 + ((bytes - 1) >> shift) - 8;
    }

    public static int BytesOf(int sizeClass)
    {
        if (sizeClass < LinearClasses)
            return (sizeClass + 3) * 8;
        int above = sizeClass - LinearClasses;
        return (above % 8 + 9) << (above / 8 + 4);
    }
}
