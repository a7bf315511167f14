namespace RaftFast.Simulation;

/// <summary>One thing that happens.</summary>
/// <param name="Actor">A server's or a client's number, from 0.</param>
/// <param name="Incarnation">Of the server's process: an event for one that has died means nothing.</param>
/// <param name="Argument">As the kind says.</param>
internal readonly record struct Event(EventKind Kind, int Actor, int Incarnation, long Argument);
