using System.Runtime.InteropServices;

namespace RaftFast.Storage;

/// <summary>
/// Keys by their bytes, looked up from a span. Clients choose the keys, so the hash is Marvin, which .NET keys with a secret of the
/// process for strings: nobody outside can make keys collide.
/// </summary>
internal sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        int hash = string.GetHashCode(MemoryMarshal.Cast<byte, char>(alternate));
        return alternate.Length % sizeof(char) == 0 ? hash : hash * 31 + alternate[^1];
    }
}
