using System.Runtime.CompilerServices;

namespace RaftFast.Server.Tests.Peers;

/// <summary>Waits for what another thread brings about; the deadline only ends a broken run.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static void True(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string text = "") =>
        Assert.True(SpinWait.SpinUntil(condition, Deadline), $"not within {Deadline}: {text}");
}
