using System.Net;
using System.Net.Sockets;
using RaftFast.Protocol;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// A relay before the peer port of a member. It listens at the member's URL, and the member itself at the same port of
/// <see cref="MemberHost"/>. So a test can cut the connections that a certain other member has dialled to this member.
/// </summary>
internal sealed class PeerRelay : IDisposable
{
    /// <summary>Value of --peer-listen for the member.</summary>
    public const string MemberHost = "127.0.0.2";

    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly IPEndPoint member;
    private readonly Lock gate = new();
    private readonly List<(ulong From, Socket Dialler, Socket Member)> carried = [];
    private readonly HashSet<ulong> blocked = [];
    private (ulong From, MessageType Type)? trap;

    public PeerRelay(int port)
    {
        member = new IPEndPoint(IPAddress.Parse(MemberHost), port);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        _ = Task.Run(AcceptAsync);
    }

    /// <summary>True while a connection waits for a message at which it is to be cut.</summary>
    public bool IsTrapSet
    {
        get
        {
            lock (gate)
                return trap is not null;
        }
    }

    /// <summary>True while a connection of the member is carried.</summary>
    public bool Carries(int from)
    {
        lock (gate)
            return carried.Exists(connection => connection.From == (ulong)from);
    }

    /// <summary>
    /// Cuts the connection of a member at its next message of this type that is no rejection. The message is lost.
    /// </summary>
    public void CutAt(int from, MessageType type)
    {
        lock (gate)
            trap = ((ulong)from, type);
    }

    /// <summary>Cuts the connections of a member, and carries no new one until <see cref="Unblock"/>.</summary>
    public void Block(int from)
    {
        lock (gate)
        {
            blocked.Add((ulong)from);
            foreach ((ulong other, Socket dialler, Socket dialled) in carried)
            {
                if (other == (ulong)from)
                    Close(dialler, dialled);
            }
        }
    }

    public void Unblock(int from)
    {
        lock (gate)
            blocked.Remove((ulong)from);
    }

    public void Dispose()
    {
        listener.Dispose();
        lock (gate)
        {
            foreach ((_, Socket dialler, Socket dialled) in carried)
                Close(dialler, dialled);
        }
    }

    private static void Close(Socket one, Socket other)
    {
        one.Dispose();
        other.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = CarryAsync(await listener.AcceptAsync());
        }
        catch (Exception end) when (IsEnd(end))
        {
        }
    }

    private async Task CarryAsync(Socket dialler)
    {
        using Socket dialled = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            dialler.NoDelay = true;
            dialled.NoDelay = true;
            byte[] image = new byte[Handshake.Size];
            for (int length = 0; length < image.Length;)
            {
                int count = await dialler.ReceiveAsync(image.AsMemory(length));
                if (count == 0)
                    return;
                length += count;
            }
            if (Handshake.TryRead(image, out Handshake handshake, out _) != DecodeStatus.Complete)
                return;
            if (!TryEnter(handshake.From, dialler, dialled))
                return;
            await dialled.ConnectAsync(member);
            await SendAsync(dialled, image);
            Task answers = PassAsync(dialled, dialler);
            if (handshake.Kind == ConnectionKind.Messages)
                await PassFramesAsync(handshake.From, dialler, dialled);
            else
                await PassAsync(dialler, dialled);
            dialled.Shutdown(SocketShutdown.Send);
            await answers;
        }
        catch (Exception end) when (IsEnd(end))
        {
        }
        finally
        {
            lock (gate)
                carried.RemoveAll(connection => connection.Dialler == dialler);
            dialler.Dispose();
        }
    }

    private bool TryEnter(ulong from, Socket dialler, Socket dialled)
    {
        lock (gate)
        {
            if (blocked.Contains(from))
                return false;
            carried.Add((from, dialler, dialled));
            return true;
        }
    }

    /// <summary>Passes whole frames, so that a trapped message is cut off, and none before it.</summary>
    private async Task PassFramesAsync(ulong from, Socket source, Socket destination)
    {
        byte[] buffer = new byte[4 * 1024 * 1024];
        int length = 0;
        int count;
        while ((count = await source.ReceiveAsync(buffer.AsMemory(length))) > 0)
        {
            length += count;
            int whole = WholeFrames(from, buffer.AsSpan(0, length), out bool isTrapped);
            await SendAsync(destination, buffer.AsMemory(0, whole));
            if (isTrapped)
            {
                Close(source, destination);
                return;
            }
            buffer.AsSpan(whole, length - whole).CopyTo(buffer);
            length -= whole;
        }
    }

    /// <summary>Returns the bytes of the whole frames, up to a trapped one.</summary>
    private int WholeFrames(ulong from, ReadOnlySpan<byte> received, out bool isTrapped)
    {
        isTrapped = false;
        int whole = 0;
        while (true)
        {
            DecodeStatus status = Frame.TryReadHeader(received[whole..], out Message message, out int recordsLength);
            int length = Frame.HeaderSize + recordsLength;
            if (status != DecodeStatus.Complete || received.Length - whole < length)
                return whole;
            lock (gate)
            {
                isTrapped = trap == (from, message.Type) && !message.Rejected;
                if (isTrapped)
                {
                    trap = null;
                    return whole;
                }
            }
            whole += length;
        }
    }

    private static async Task PassAsync(Socket source, Socket destination)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            int count;
            while ((count = await source.ReceiveAsync(buffer)) > 0)
                await SendAsync(destination, buffer.AsMemory(0, count));
        }
        catch (Exception end) when (IsEnd(end))
        {
        }
        finally
        {
            // A member that ends a connection ends it on both sides of the relay.
            destination.Dispose();
        }
    }

    private static async Task SendAsync(Socket destination, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await destination.SendAsync(bytes)..];
    }

    private static bool IsEnd(Exception exception) => exception is SocketException or ObjectDisposedException;
}
