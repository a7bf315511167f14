using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Logging;

/// <summary>
/// Writes lines to one stream on a thread of its own. A stream that blocks (a full pipe, a terminal on Ctrl-S) holds up
/// no other thread. Lines beyond the bound are lost, and a line that counts them takes their place.
/// </summary>
internal sealed class LineWriter(Stream output)
{
    /// <summary>Bytes of waiting lines: several thousand lines.</summary>
    public const int WaitingBytesMax = 1 << 20;

    /// <summary>Time that the end of the process waits for lines that the stream has not taken.</summary>
    public static readonly TimeSpan ExitWait = TimeSpan.FromSeconds(1);

    private readonly object gate = new();
    private readonly Queue<byte[]> waiting = [];
    private long waitingBytes;
    private long lost;
    private bool isWriting;
    private Thread? thread;

    /// <summary>
    /// The process's stderr. The stream stays blocking: its open file may belong to the parent process, too.
    /// </summary>
    public static LineWriter StandardError { get; } = new(Console.OpenStandardError());

    /// <summary>Queues the text; never waits for the stream.</summary>
    /// <param name="text">One or more lines, each with its line end.</param>
    public void Write(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        lock (gate)
        {
            if (waitingBytes + bytes.Length > WaitingBytesMax)
            {
                lost++;
                return;
            }
            AddLossNote();
            Add(bytes);
            if (thread is null)
            {
                thread = new Thread(Run) { Name = "raftfast-log", IsBackground = true };
                thread.Start();
            }
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Waits until the stream has taken every line.</summary>
    /// <returns>False when <paramref name="timeout"/> has passed before.</returns>
    public bool Drain(TimeSpan timeout)
    {
        long end = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        lock (gate)
        {
            while (waiting.Count > 0 || isWriting || lost > 0)
            {
                long left = end - Environment.TickCount64;
                if (left <= 0)
                    return false;
                Monitor.Wait(gate, (int)left);
            }
            return true;
        }
    }

    private void Run()
    {
        while (true)
        {
            byte[] next = Take();
            try
            {
                output.Write(next);
            }
            catch (IOException)
            {
                // A log that cannot be written (2>file on a full disk) must not stop the node.
            }
        }
    }

    private byte[] Take()
    {
        lock (gate)
        {
            isWriting = false;
            if (waiting.Count == 0)
                AddLossNote();
            while (waiting.Count == 0)
            {
                Monitor.PulseAll(gate);
                Monitor.Wait(gate);
            }
            isWriting = true;
            byte[] next = waiting.Dequeue();
            waitingBytes -= next.Length;
            return next;
        }
    }

    private void AddLossNote()
    {
        if (lost == 0)
            return;
        string message = string.Create(
            CultureInfo.InvariantCulture, $"{lost} log lines are lost here: stderr did not take them in time");
        lost = 0;
        Add(Encoding.UTF8.GetBytes(LogLine.Format(
            DateTime.UtcNow, LogLevel.Warning, nameof(LineWriter), message, null, withExceptionType: false)));
    }

    private void Add(byte[] bytes)
    {
        waiting.Enqueue(bytes);
        waitingBytes += bytes.Length;
    }
}
