using System.Text.Json.Serialization;

namespace RaftFast.Server.Api;

/// <summary>The JSON of the API, generated at compile time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(StatusJson))]
[JsonSerializable(typeof(MembersJson))]
[JsonSerializable(typeof(LeaderJson))]
[JsonSerializable(typeof(TransactionResultJson))]
[JsonSerializable(typeof(HashJson))]
internal sealed partial class ApiJson : JsonSerializerContext;

/// <summary>Details of a problem (RFC 9457 §3.1).</summary>
/// <param name="Index">Index of the entry at which a transaction failed; absent otherwise.</param>
/// <param name="Part">Ordinal of the condition or operation at which a transaction failed, from 0; absent
/// otherwise.</param>
internal sealed record Problem(
    string Type, string Title, int Status, string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Index = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Part = null);
