namespace RaftFast.Simulation.Network;

/// <summary>A frame between two servers, which are numbered from 0.</summary>
internal readonly record struct FrameInFlight(byte[] Bytes, int Length, int From, int To, int Epoch, bool IsReplay)
{
    public Span<byte> Span => Bytes.AsSpan(0, Length);
}
