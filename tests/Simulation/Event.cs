namespace RaftFast.Simulation;

/// <summary>One event.</summary>
/// <param name="Actor">Number of a server or a client, from 0.</param>
/// <param name="Incarnation">Incarnation of the server's process; an event for a dead process is ignored.</param>
/// <param name="Argument">Meaning depends on the kind.</param>
internal readonly record struct Event(EventKind Kind, int Actor, int Incarnation, long Argument);
