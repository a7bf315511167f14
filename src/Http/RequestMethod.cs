namespace RaftFast.Http;

/// <summary>A request's method as far as it makes a difference here.</summary>
internal enum RequestMethod : byte
{
    Other,
    Put,
    Get,
    Post,
    Delete,
    Head,
}
