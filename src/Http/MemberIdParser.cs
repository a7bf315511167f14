namespace RaftFast.Http;

/// <summary>
/// Parses the member id in the target of a POST or DELETE. After the slash comes an unsigned 64-bit number except 0,
/// decimal or with a <c>0x</c>, <c>0o</c> or <c>0b</c> prefix in either case. Leading zeros are allowed, and separators
/// are not.
/// </summary>
internal static class MemberIdParser
{
    public static bool TryParse(ReadOnlySpan<byte> target, out ulong id)
    {
        id = 0;
        if (target.IsEmpty || target[0] != '/')
            return false;
        ReadOnlySpan<byte> digits = target[1..];
        uint radix = RadixOf(digits);
        if (radix != 10)
            digits = digits[2..];
        foreach (byte b in digits)
        {
            uint digit = DigitOf(b);
            if (digit >= radix || id > (ulong.MaxValue - digit) / radix)
                return false;
            id = id * radix + digit;
        }
        return id != 0;
    }

    private static uint RadixOf(ReadOnlySpan<byte> digits) =>
        digits.Length < 2 || digits[0] != '0' ? 10u : (digits[1] | 0x20) switch
    {
        'x' => 16,
        'o' => 8,
        'b' => 2,
        _ => 10,
    };

    private static uint DigitOf(byte b)
    {
        if (b is >= (byte)'0' and <= (byte)'9')
            return (uint)(b - '0');
        int lower = b | 0x20;
        return lower is >= 'a' and <= 'f' ? (uint)(lower - 'a' + 10) : uint.MaxValue;
    }
}
