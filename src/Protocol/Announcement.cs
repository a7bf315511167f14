using System.Text;

namespace RaftFast.Protocol;

/// <summary>
/// Addresses at which a node serves clients and operators, and the version of its program. A node announces these texts
/// to the other members for their operators; nothing else depends on the texts. In the handshake, after the address:
/// <code>
/// 0  u8  format         1; 0: nothing is announced
/// 1      three texts    URL for clients, URL of the API (empty: none), version; each is
///        u8  length     bytes
///            text       UTF-8
/// </code>
/// </summary>
public sealed record Announcement(string ClientUrl, string ApiUrl, string Version)
{
    private const byte Format = 1;

    /// <summary>Writes the announcement, or nothing if the room is too small or a text too long.</summary>
    /// <param name="room">Zeros.</param>
    internal void Write(Span<byte> room)
    {
        Span<byte> rest = room;
        int length = 1;
        foreach (string text in (ReadOnlySpan<string>)[ClientUrl, ApiUrl, Version])
        {
            int bytes = Encoding.UTF8.GetByteCount(text);
            if (bytes > byte.MaxValue || length + 1 + bytes > room.Length)
            {
                room.Clear();
                return;
            }
            rest[length] = (byte)bytes;
            Encoding.UTF8.GetBytes(text, rest[(length + 1)..]);
            length += 1 + bytes;
        }
        room[0] = Format;
    }

    /// <returns>Null if there is no announcement, or if this program does not know the announcement's format.</returns>
    internal static Announcement? Read(ReadOnlySpan<byte> room)
    {
        if (room.IsEmpty || room[0] != Format)
            return null;
        ReadOnlySpan<byte> rest = room[1..];
        return ReadText(ref rest) is { } client && ReadText(ref rest) is { } api && ReadText(ref rest) is { } version
            ? new Announcement(client, api, version)
            : null;
    }

    private static string? ReadText(ref ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty || rest.Length < 1 + rest[0])
            return null;
        string text = Encoding.UTF8.GetString(rest.Slice(1, rest[0]));
        rest = rest[(1 + rest[0])..];
        return text;
    }
}
