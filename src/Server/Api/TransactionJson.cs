using System.Text.Json;
using System.Text.Json.Serialization;

namespace RaftFast.Server.Api;

/// <summary>
/// Body of <c>POST /v1/txn</c>. Keys are percent-encoded, as in the lines of <c>GET /v1/keys</c>.
/// <code>
/// {"conditions":[{"key":"/a","exists":true},{"key":"/b","tag":"17"}],
///  "operations":[{"put":"/a","text":"x"},{"put":"/b","value":"eHk=","ttl":60},{"delete":"/c"},{"get":"/d"},
///                {"deletePrefix":"/e/"}]}
/// </code>
/// </summary>
internal sealed record TransactionJson(OperationJson?[] Operations, ConditionJson?[]? Conditions = null);

/// <param name="Exists">True if the key must exist, false if it must not.</param>
/// <param name="Tag">Tag that the key must have.</param>
internal sealed record ConditionJson(string Key, bool? Exists = null, string? Tag = null);

/// <summary>An operation has one of Put, Delete, Get and DeletePrefix. A Put has one of Value and Text.</summary>
/// <param name="Value">Value, in base64.</param>
/// <param name="Text">Value, in UTF-8.</param>
/// <param name="Ttl">Seconds of log time after which the key is deleted.</param>
internal sealed record OperationJson(
    string? Put = null, string? Delete = null, string? Get = null, string? DeletePrefix = null, byte[]? Value = null,
    string? Text = null, long? Ttl = null);

/// <summary>The JSON that the API reads: each name must be known, and come once.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(TransactionJson))]
internal sealed partial class ApiRequestJson : JsonSerializerContext;
