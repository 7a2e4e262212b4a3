using System.Text.Json;

namespace Hadal.Serving.OpenAI;

/// <summary>Body of <c>POST /v1/completions</c>.</summary>
internal sealed record CompletionRequest : SamplingFields
{
    /// <summary>A text, a list of texts, a list of tokens, or a list of these.</summary>
    public JsonElement? Prompt { get; init; }

    /// <summary>What follows the text to be filled in (fill in the middle).</summary>
    public string? Suffix { get; init; }

    /// <summary>Whether the answer begins with the prompt.</summary>
    public bool? Echo { get; init; }

    /// <summary>How many of the most probable tokens are told for each place.</summary>
    public int? Logprobs { get; init; }
}
