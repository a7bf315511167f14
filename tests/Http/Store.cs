using System.Collections.Concurrent;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http.Tests;

/// <summary>A stand-in for the node: a dictionary and a list of membership changes, on a thread of its own.</summary>
internal sealed class Store : IDisposable
{
    private readonly BlockingCollection<ClientRequest> inbox = [];
    private readonly Dictionary<string, byte[]> values = [];
    private readonly List<string> changes = [];
    private readonly Thread thread;

    public Store()
    {
        thread = new Thread(Run) { IsBackground = true };
        thread.Start();
    }

    /// <summary>Membership changes so far, as text. Read only while no request is outstanding.</summary>
    public IReadOnlyList<string> Changes => changes;

    public void Submit(ClientRequest request) => inbox.Add(request);

    /// <summary>Empties the store. Call only while no request is outstanding.</summary>
    public void Clear()
    {
        values.Clear();
        changes.Clear();
    }

    public void Dispose()
    {
        inbox.CompleteAdding();
        thread.Join();
        inbox.Dispose();
    }

    private void Run()
    {
        List<IRequestOwner> touched = [];
        foreach (ClientRequest first in inbox.GetConsumingEnumerable())
        {
            ClientRequest? request = first;
            do
            {
                IRequestOwner owner = request.Owner;
                Complete(request);
                if (owner.MarkForResume())
                    touched.Add(owner);
            }
            while (inbox.TryTake(out request));
            foreach (IRequestOwner each in touched)
                each.Resume();
            touched.Clear();
        }
    }

    private void Complete(ClientRequest request)
    {
        switch (request.Method)
        {
            case ClientRequestMethod.Put:
                Assert.Equal(DecodeStatus.Complete, Protocol.Record.TryRead(request.Record, out RecordHeader header));
                Assert.Equal(default, header.Position);
                Assert.Equal(request.Record.Length, header.RecordLength);
                ReadOnlySpan<byte> payload = Protocol.Record.Payload(request.Record, header);
                Assert.Equal(DecodeStatus.Complete, KeyCommand.TryRead(payload, out KeyCommand put));
                Assert.True(put.Key.SequenceEqual(request.Key));
                values[Encoding.Latin1.GetString(put.Key)] = put.Value.ToArray();
                request.CompleteNoContent();
                break;
            case ClientRequestMethod.Get:
                if (values.TryGetValue(Encoding.Latin1.GetString(request.Key), out byte[]? value))
                    request.CompleteValue(value);
                else
                    request.CompleteNotFound();
                break;
            case ClientRequestMethod.AddMember:
                changes.Add($"add {request.MemberId} {Encoding.Latin1.GetString(request.Body)}");
                request.CompleteNoContent();
                break;
            case ClientRequestMethod.Delete:
                values.Remove(Encoding.Latin1.GetString(request.Key));
                request.CompleteNoContent();
                break;
            default:
                changes.Add($"remove {request.MemberId}");
                request.CompleteNoContent();
                break;
        }
    }
}
