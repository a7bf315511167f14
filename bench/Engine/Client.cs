using System.Diagnostics;
using System.Globalization;
using System.Text;
using RaftFast.Http;
using RaftFast.Server.Threads;

namespace RaftFast.Engine;

/// <summary>
/// A client that acts on the loop like an HTTP connection with a full pipeline, without HTTP. The client's requests
/// form a ring. Requests are answered in order, and each is submitted again as soon as it is answered. A client
/// allocates nothing, and runs on the thread that has the loop's turn.
/// </summary>
internal sealed class Client : IRequestOwner
{
    private readonly ClientRequest[] requests;
    private readonly long[] submitted;
    private readonly Inbox leader;
    private readonly byte[][] keys;
    private readonly byte[] value;

    private LoadRun? run;
    private uint random;
    private int first;
    private bool isMarked;

    public Client(int number, Workload workload, byte[][] keys, Inbox leader)
    {
        this.leader = leader;
        this.keys = keys;
        value = new byte[workload.ValueBytes];
        random = 2463534242u + (uint)number * 7919u;
        submitted = new long[workload.Outstanding];
        requests = new ClientRequest[workload.Outstanding];
        for (int i = 0; i < requests.Length; i++)
            requests[i] = new ClientRequest(this);
    }

    public static byte[][] Keys(int count)
    {
        byte[][] keys = new byte[count][];
        for (int i = 0; i < count; i++)
            keys[i] = Encoding.ASCII.GetBytes(i.ToString("'/k'D7", CultureInfo.InvariantCulture));
        return keys;
    }

    /// <summary>Submits the first requests of a run, while none is outstanding.</summary>
    public void Start(LoadRun run, int count)
    {
        this.run = run;
        // The first requests may be answered before the last are submitted. Resume stops at the first unfinished
        // request, so it doesn't reach the last ones.
        int place = first;
        for (int i = 0; i < count; i++)
        {
            Submit(place, Stopwatch.GetTimestamp());
            place = After(place);
        }
    }

    public bool MarkForResume()
    {
        bool isFirst = !isMarked;
        isMarked = true;
        return isFirst;
    }

    public void Resume()
    {
        isMarked = false;
        long now = Stopwatch.GetTimestamp();
        while (requests[first].IsFinished)
        {
            int place = first;
            bool isCommitted = requests[place].Status == 204;
            // Begin makes the request unfinished again. After the last Complete, another thread may begin the next run.
            requests[place].Begin();
            first = After(place);
            if (run!.Complete(isCommitted, now - submitted[place]))
                Submit(place, now);
        }
    }

    private void Submit(int place, long now)
    {
        ClientRequest request = requests[place];
        request.Begin();
        request.BeginPut(keys[NextRandom() % keys.Length], value.Length);
        request.AppendBody(value);
        request.EndBody();
        submitted[place] = now;
        leader.PostAndRun(request, Inbox.SocketThreadBatchesMax);
    }

    private int After(int place) => place + 1 == requests.Length ? 0 : place + 1;

    /// <summary>Marsaglia's xorshift.</summary>
    private uint NextRandom()
    {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        return random;
    }
}
