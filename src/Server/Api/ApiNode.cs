using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Peers;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Api;

/// <summary>
/// The running node, as the API sees it. Handlers ask for state that belongs to the loop through the inbox. If the loop
/// does not answer, the handler stops waiting and answers 503.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A semaphore needs no disposal while its wait handle is not used.")]
internal sealed class ApiNode(Inbox inbox, NodeLoop loop)
{
    /// <summary>
    /// Items of the API in the inbox at once: questions, transactions, and the read that confirms that the state is
    /// fresh.
    /// </summary>
    public const int InboxItems = LoopQuestion.OutstandingMax + Transactions.OutstandingMax + 1;

    /// <summary>
    /// Maximum time for the loop's answer. A loop that works answers in milliseconds, and probes and scrapers wait a
    /// few seconds.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly long started = Stopwatch.GetTimestamp();
    private readonly SemaphoreSlim places = new(LoopQuestion.OutstandingMax);

    public required WalWriter Writer { get; init; }

    public required HttpFront Front { get; init; }

    public required PeerNetwork Network { get; init; }

    public required PeerAcceptor Acceptor { get; init; }

    /// <summary>Time after which a request is given up (<c>--request-timeout</c>).</summary>
    public required TimeSpan RequestTimeout { get; init; }

    public required Backup Backup { get; init; }

    public required Watches Watches { get; init; }

    /// <summary>Announcement of this node to the other members.</summary>
    public required Announcement Announcement { get; init; }

    public TimeSpan Uptime => Stopwatch.GetElapsedTime(started);

    /// <summary>Time since the loop last turned.</summary>
    public TimeSpan SinceTurn => loop.SinceTurn;

    public KeyList Keys { get; } = new();

    public Transactions Transactions { get; } = new(inbox);

    public FreshReads Reads { get; } = new(inbox);

    /// <summary>Copies the state of all parts.</summary>
    /// <exception cref="LoopSilentException">The loop did not answer in time.</exception>
    public async Task<Observation> ObserveAsync()
    {
        (NodeReport node, List<PeerReport> peers) = await AskAsync(node => (node.Report(), Network.Report()));
        return new Observation
        {
            Node = node,
            Peers = peers,
            Front = Front.Report(),
            InboxItems = inbox.Count,
            InboxItemsMax = inbox.Capacity,
            Questions = LoopQuestion.OutstandingMax - places.CurrentCount,
            ListedPages = Keys.Pages,
            Transactions = Transactions.Outstanding,
            TransactionBodyBytes = Transactions.Bodies.Bytes,
            Watches = Watches.Count,
            WatchesMax = Watches.Max,
            WatchesGone = Watches.GoneCount,
            History = Watches.History.Read(),
            HistoryBytesMax = Watches.History.BytesMax,
            Handshakes = Acceptor.Pending.Count,
            HandshakesMax = Acceptor.Pending.Max,
            SyncTime = Writer.SyncTime.Copy(),
            WriteOut = Writer.Work.Time,
            ReceivedSnapshotBytes = Acceptor.ReceivedSnapshotBytes,
            ReceivingHangs = Acceptor.ReceivingHangs,
            BatchEntries = Writer.BatchEntries.Copy(),
            BatchBytes = Writer.BatchBytes.Copy(),
            BatchItems = loop.BatchItems.Copy(),
        };
    }

    /// <summary>Returns a member's announcement, or null if the member has announced nothing.</summary>
    public Announcement? AnnouncementOf(ulong id, ulong self) =>
        id == self ? Announcement : Acceptor.AnnouncementOf(id);

    /// <summary>Asks the loop.</summary>
    /// <exception cref="LoopSilentException">No answer came in time; the question may still be answered.</exception>
    public async Task<T> AskAsync<T>(Func<RaftNode, T> ask)
    {
        if (!await places.WaitAsync(Patience))
            throw new LoopSilentException();
        LoopQuestion<T> question = new(ask);
        // The place is free again once the loop has taken the question from the inbox, and not before.
        _ = question.Answered.ContinueWith(
            static (_, places) => ((SemaphoreSlim)places!).Release(), places, CancellationToken.None,
            TaskContinuationOptions.None, TaskScheduler.Default);
        inbox.Post(question);
        try
        {
            return await question.Answered.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new LoopSilentException();
        }
    }
}

/// <summary>The loop has not answered in time.</summary>
internal sealed class LoopSilentException() : Exception(
    "The member's loop did not answer in time: it is very busy, or it hangs. Try again, and see /livez.");
