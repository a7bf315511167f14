using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>Parts that a <see cref="RaftNode"/> is made of.</summary>
internal sealed record NodeParts
{
    public required RaftCore Core { get; init; }

    public required Wal Wal { get; init; }

    public required StateMachine State { get; init; }

    public required SnapshotStore SnapshotFiles { get; init; }

    /// <summary>Term and vote as the log held them at the start.</summary>
    public required HardState Recovered { get; init; }

    public required IPeerNetwork Network { get; init; }

    public required Acceptance Acceptance { get; init; }

    /// <summary>Address at which this member's peer protocol listens.</summary>
    public required PeerAddress Address { get; init; }

    /// <summary>Bytes of state at which a write that needs more memory is answered 507.</summary>
    public long StateMax { get; init; } = long.MaxValue;

    public IdempotencyOptions Idempotency { get; init; } = new();

    public required SnapshotOptions Snapshots { get; init; }

    /// <summary>Ticks between two comparisons of the members' states: ten seconds.</summary>
    public int ComparisonTicks { get; init; } = 1000;

    public required NodeActions Actions { get; init; }

    /// <summary>
    /// First number for messages that other members answer; an answer carries its message's number. Answers to an
    /// earlier process of this member may still arrive, so no process may use an earlier one's numbers. A random first
    /// number keeps the numbers of two processes apart.
    /// </summary>
    public required long FirstNumber { get; init; }

    /// <summary>Milliseconds after which a request is answered 503 or 504.</summary>
    public required long RequestTimeout { get; init; }

    /// <summary>Source of the nonces of snapshot files.</summary>
    public required Random Random { get; init; }

    public required ILogger Logger { get; init; }
}

/// <summary>Bounds on the outcomes of requests with idempotency keys.</summary>
internal sealed record IdempotencyOptions
{
    /// <summary>Minimum milliseconds of log time for which an outcome is remembered.</summary>
    public long Window { get; init; } = 15 * 60 * 1000;

    /// <summary>Bytes of outcomes at which a request with a new idempotency key is answered 503.</summary>
    public long MemoryMax { get; init; } = 64 * 1024 * 1024;
}

/// <summary>
/// Actions that need other threads or a clock: the node's owner does them. The node calls each on the loop's turn, and
/// each returns at once.
/// </summary>
internal sealed record NodeActions
{
    /// <summary>Wakes the thread that writes the log: a batch has been published.</summary>
    public required Action WakeWriter { get; init; }

    /// <summary>Wakes the thread that prepares segments: the log has segments that it no longer needs.</summary>
    public required Action WakeSegments { get; init; }

    /// <summary>
    /// Steps the task on another thread until it is complete, then hands it back
    /// (<see cref="RaftNode.OnSnapshotTaken"/>).
    /// </summary>
    public required Action<SnapshotTask> RunSnapshot { get; init; }

    /// <summary>
    /// Steps the read on another thread until it is complete, then hands it back
    /// (<see cref="RaftNode.OnEntriesRead"/>).
    /// </summary>
    public required Action<FollowerRead> ReadEntries { get; init; }

    /// <summary>Disposes of a store on another thread: a large one takes long.</summary>
    public required Action<KeyValueStore> Free { get; init; }

    /// <summary>Resumes each of these owners, whose requests have been answered.</summary>
    public required Action<ReadOnlySpan<IRequestOwner>> Resume { get; init; }

    /// <summary>
    /// Reports that the process may stop, after <see cref="RaftNode.OnStopRequested"/>: another member leads, or none
    /// could take over.
    /// </summary>
    public required Action HandedOver { get; init; }

    /// <summary>
    /// Reads a clock in microseconds, for measurements alone: nothing that the node does depends on it.
    /// </summary>
    public Func<long> Microseconds { get; init; } = static () => 0;

    /// <summary>Wakes the readers of the history of changes, which has grown or begun anew.</summary>
    public Action WakeWatches { get; init; } = static () => { };

    /// <summary>Takes this member down: it has been removed from the cluster.</summary>
    public required Action Stop { get; init; }
}
