namespace RaftFast.Http;

/// <summary>What a client asks for: PUT, GET, POST and DELETE, in that order.</summary>
public enum ClientRequestMethod : byte
{
    Put,
    Get,
    AddMember,
    RemoveMember,
}
