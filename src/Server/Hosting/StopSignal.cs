using System.Runtime.InteropServices;

namespace RaftFast.Server.Hosting;

/// <summary>SIGTERM and Ctrl-C. The first signal asks the process to stop; the second ends it.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly PosixSignalRegistration terminate;
    private readonly PosixSignalRegistration interrupt;

    public StopSignal()
    {
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    }

    public CancellationToken Token => stop.Token;

    public void Dispose()
    {
        terminate.Dispose();
        interrupt.Dispose();
        stop.Dispose();
    }

    private void OnSignal(PosixSignalContext signal)
    {
        // A signal that is not cancelled here ends the process at once.
        signal.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    }
}
