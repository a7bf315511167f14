using System.Text.Json.Serialization;

namespace RaftFast.Server.Api;

/// <summary>The JSON of the API, generated at compile time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(StatusJson))]
[JsonSerializable(typeof(MembersJson))]
[JsonSerializable(typeof(LeaderJson))]
[JsonSerializable(typeof(HashJson))]
internal sealed partial class ApiJson : JsonSerializerContext;

/// <summary>Details of a problem (RFC 9457 §3.1).</summary>
internal sealed record Problem(string Type, string Title, int Status, string Detail);
