using Hadal.Inference.Sampling;

namespace Hadal.Inference.Generation;

/// <summary>A text to continue, and how.</summary>
public sealed record GenerationRequest
{
    /// <summary>The text to continue. Control tokens that it spells become control tokens: text of users who must not do that goes through the chat
    /// template.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>The prompt as tokens, used as they are, instead of <see cref="Prompt"/>.</summary>
    public IReadOnlyList<int>? PromptTokens { get; init; }

    /// <summary>Whether the begin-of-text token is put before <see cref="Prompt"/>. Null: if the tokenizer's settings want it and the prompt does not begin
    /// with
    /// it already.</summary>
    public bool? AddBeginToken { get; init; }

    /// <summary>Tokens to generate at most; 0 or more. The context may end earlier.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>Tokens that the MTP module drafts for each step; 0 for plain decoding.</summary>
    public int Drafts { get; init; }

    /// <summary>Tokens that end the text and do not belong to it. Null: the end tokens of the model and of the tokenizer.</summary>
    public IReadOnlyList<int>? StopTokens { get; init; }

    /// <summary>Strings that end the text and do not belong to it; none may be empty.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Whether control tokens are left out of the text (never out of the tokens).</summary>
    public bool SkipSpecialTokens { get; init; } = true;
}
