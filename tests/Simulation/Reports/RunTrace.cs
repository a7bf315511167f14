using System.Globalization;
using RaftFast.Consensus;
using RaftFast.Protocol;

namespace RaftFast.Simulation.Reports;

/// <summary>
/// Record of a run: a hash by which two runs of one seed are compared, and on request a readable text.
/// </summary>
internal sealed class RunTrace(TextWriter? story)
{
    private ulong hash = 14695981039346656037;

    public ulong Hash => hash;

    public long Events { get; private set; }

    public void Count() => Events++;

    public void Said(long time, in Message message)
    {
        Add(time);
        Add((long)message.Type << 32 | (long)message.From << 16 | (long)message.To);
        Add(message.Term);
        Add(message.Position.Index);
        Add(message.Commit);
        if (story is not null && message.Type is not (MessageType.Heartbeat or MessageType.HeartbeatResponse))
        {
            Write(time, (int)message.From - 1,
                $"→ {message.To} {message.Type}{(message.Rejected ? " rejected" : "")} term {message.Term} " +
                $"position {message.Position.Term}/{message.Position.Index} commit {message.Commit} " +
                $"count {message.Count} context {message.Context}");
        }
    }

    public void Stepped(long time, int server, RaftCore core)
    {
        Add(time);
        Add(server);
        Add(core.Term);
        Add(core.Log.Last.Index);
        Add(core.Log.Committed);
        Add((long)core.Role);
        if (story is not null)
        {
            RaftLog log = core.Log;
            string state = $"{core.Role} term {core.Term} last {log.Last.Term}/{log.Last.Index} " +
                $"durable {log.Durable} committed {log.Committed} applied {log.Applied}";
            if (states.TryGetValue(server, out string? before) && before == state)
                return;
            states[server] = state;
            Write(time, server, state);
        }
    }

    public void Note(long time, int server, string text)
    {
        Add(time);
        Add(server);
        if (story is not null)
            Write(time, server, text);
    }

    private readonly Dictionary<int, string> states = [];

    private void Write(long time, int server, string text) =>
        story!.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{time / 1e6,12:F6}  server {server + 1}  {text}"));

    private void Add(long value) => hash = (hash ^ (ulong)value) * 1099511628211;
}
