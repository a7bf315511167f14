namespace RaftFast.Storage.Store;

/// <summary>
/// Pages of 2 KiB, cut from slabs, for the indexes. A page that is given back is used again. Any thread may call: while
/// a snapshot is loaded, one thread fills the index and another thread the order.
/// </summary>
internal sealed unsafe class PageMemory(SlabMemory memory)
{
    public const int PageBytes = 2048;

    private readonly Lock gate = new();

    /// <summary>
    /// First in the list of pages given back. The first word of each page is the address of the next page.
    /// </summary>
    private ulong* free;

    private byte* fresh;
    private int freshLeft;

    /// <summary>Takes a page, whose contents are undefined.</summary>
    public ulong* Take()
    {
        lock (gate)
        {
            ulong* page = free;
            if (page is not null)
            {
                free = *(ulong**)page;
                return page;
            }
            if (freshLeft == 0)
            {
                fresh = memory.TakeSlab();
                freshLeft = SlabMemory.SlabBytes / PageBytes;
            }
            page = (ulong*)fresh;
            fresh += PageBytes;
            freshLeft--;
            return page;
        }
    }

    public void GiveBack(ulong* page)
    {
        lock (gate)
        {
            *(ulong**)page = free;
            free = page;
        }
    }
}
