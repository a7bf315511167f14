using System.Diagnostics;
using System.Globalization;
using System.Text;
using RaftFast.Http;
using RaftFast.Server.Threads;

namespace RaftFast.Engine;

/// <summary>
/// What an HTTP connection with a full pipeline is to the loop, without HTTP: requests in a ring, answered in order, each of them put to
/// its next use as soon as it is answered. It allocates nothing, and runs on whichever thread has the loop's turn.
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

    /// <summary>Submits the first requests of a run; nothing is under way.</summary>
    public void Start(LoadRun run, int count)
    {
        this.run = run;
        // Answers to the first may come while the last are still to be submitted: those are not finished, and hold up the rest.
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
            // From here on it isn't finished. When the last is complete, another thread may begin the next run.
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
        request.BeginPut(keys[NextRandom() % keys.Length]);
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
