namespace RaftFast.Http;

/// <summary>
/// Numbers of answered requests, by method and status. Connections on several threads count, so each count is one
/// interlocked addition; nothing is allocated.
/// </summary>
public sealed class RequestCounters
{
    /// <summary>
    /// Methods, as the labels of a metric. A request that was refused before it was submitted counts as other.
    /// </summary>
    public static readonly string[] Methods = ["PUT", "GET", "POST", "DELETE", "HEAD", "other"];

    /// <summary>Statuses of the front. Any other status is counted at the end, as 0.</summary>
    public static readonly int[] Statuses =
    [
        200, 204, 304, 400, 403, 404, 405, 408, 409, 411, 412, 413, 414, 417, 421, 422, 431, 501, 503, 504, 505, 507, 0,
    ];

    private const int Head = 4;
    private const int Other = 5;

    private static readonly byte[] PlaceOfStatus = PlacesOfStatuses();

    private readonly long[] counts = new long[Methods.Length * Statuses.Length];

    /// <summary>
    /// Number of requests with a method and a status, given as places in <see cref="Methods"/> and
    /// <see cref="Statuses"/>.
    /// </summary>
    public long this[int method, int status] => Volatile.Read(ref counts[method * Statuses.Length + status]);

    internal void Count(ClientRequest request)
    {
        int method = !request.IsSubmitted ? Other : request.OmitsBody ? Head : (int)request.Method;
        int status = request.Status < PlaceOfStatus.Length ? PlaceOfStatus[request.Status] : Statuses.Length - 1;
        Interlocked.Increment(ref counts[method * Statuses.Length + status]);
    }

    /// <summary>A connection was refused with this answer.</summary>
    internal void Count(Refusal refusal) =>
        Interlocked.Increment(ref counts[Other * Statuses.Length + PlaceOfStatus[refusal.Status]]);

    private static byte[] PlacesOfStatuses()
    {
        byte[] places = new byte[600];
        Array.Fill(places, (byte)(Statuses.Length - 1));
        for (int i = 0; i < Statuses.Length; i++)
            places[Statuses[i]] = (byte)i;
        return places;
    }
}
