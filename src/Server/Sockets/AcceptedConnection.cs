using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace RaftFast.Server.Sockets;

/// <summary>A connection that is being served. Its handler learns from the feature it sets that it should finish and close.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A cancellation source without a timer and a wait handle holds nothing.")]
internal sealed class AcceptedConnection : IConnectionLifetimeNotificationFeature
{
    private readonly CancellationTokenSource closeRequested = new();

    public AcceptedConnection(ConnectionContext context)
    {
        Context = context;
        ConnectionClosedRequested = closeRequested.Token;
        context.Features.Set<IConnectionLifetimeNotificationFeature>(this);
    }

    public ConnectionContext Context { get; }

    public CancellationToken ConnectionClosedRequested { get; set; }

    public void RequestClose() => closeRequested.Cancel();

    public void Abort() => Context.Abort(new ConnectionAbortedException("the server is stopping"));
}
