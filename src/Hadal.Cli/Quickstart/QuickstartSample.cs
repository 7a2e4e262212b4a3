using System.Text.Json.Serialization;

namespace Hadal.Cli.Quickstart;

/// <summary>A prompt and its completion, decoded token by token and with MTP drafts.</summary>
internal sealed record QuickstartSample(
    [property: JsonPropertyName("prompt")] string Prompt,
    [property: JsonPropertyName("text")] string Text,
    [property: JsonPropertyName("text_speculative")] string TextSpeculative,
    [property: JsonIgnore] double? AcceptanceRate,
    [property: JsonIgnore] double TokensPerSecond,
    [property: JsonIgnore] double TokensPerSecondSpeculative);
