namespace RaftFast.Simulation.Disk;

/// <summary>
/// Writes that do not return on a hung disk, for ever or for minutes: those of the log and of received snapshots. Reads
/// and other files stay usable.
/// </summary>
internal sealed class HungWrites
{
    private readonly List<Action> held = [];

    public bool IsHung { get; private set; }

    public void Hang() => IsHung = true;

    /// <summary>Holds a write that would complete now.</summary>
    /// <param name="complete">Completes the write.</param>
    public void Hold(Action complete) => held.Add(complete);

    /// <summary>Ends the hang. The writes that are held return now.</summary>
    public void Return()
    {
        IsHung = false;
        while (held.Count > 0)
        {
            Action complete = held[0];
            held.RemoveAt(0);
            complete();
        }
    }

    /// <summary>Forgets the writes of a process that has died.</summary>
    public void Forget() => held.Clear();
}
