using Hadal.Inference.Constraints;
using Hadal.Inference.Sampling;

namespace Hadal.Inference.Batching;

/// <summary>A text to continue among others, and how.</summary>
public sealed record EngineRequest
{
    /// <summary>The prompt, at least one token.</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }

    /// <summary>Tokens to generate at most; 1 or more. The context may end earlier.</summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>How tokens are chosen. The tokens depend on this and on the prompt alone, not on drafts or on who else is served.</summary>
    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>What the text has to be like; null for anything. Made for the engine's tokenizer.</summary>
    public TokenGrammar? Grammar { get; init; }

    /// <summary>Tokens that end the text and do not belong to it. Null: the end tokens of the model and of the tokenizer.</summary>
    public IReadOnlyList<int>? StopTokens { get; init; }

    /// <summary>Strings that end the text and do not belong to it; none may be empty.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Whether control tokens are left out of the text (never out of the tokens).</summary>
    public bool SkipSpecialTokens { get; init; } = true;

    /// <summary>How many of the most probable tokens are reported for each place, from 0 (only the chosen one) to 20; null for no probabilities at
    /// all.</summary>
    public int? Probabilities { get; init; }

    /// <summary>Whether the choices of experts are counted for this text (<see cref="EngineText.ExpertCounts"/>).</summary>
    public bool CountExperts { get; init; }

    /// <summary>Requests of a higher number go first.</summary>
    public int Priority { get; init; }

    /// <summary>Who asks. Among requests of the same priority, who has had fewer tokens goes first.</summary>
    public string Client { get; init; } = "";

    /// <summary>Computed prompts are shared within a scope only, so that nobody can find out from an answer's speed what others have asked.</summary>
    public string PrefixScope { get; init; } = "";
}
