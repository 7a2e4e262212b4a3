using Hadal.Inference.Speculation;
using Hadal.Numerics;

namespace Hadal.Inference.Batching;

/// <summary>How an <see cref="InferenceEngine"/> works. Nothing here changes a text, except that a BF16 or 8-bit cache rounds.</summary>
public sealed record EngineOptions
{
    /// <summary>Texts in work at once at most; further ones wait. From 1 to 4,096.</summary>
    public int MostSequences { get; init; } = 64;

    /// <summary>Requests that may wait; more are refused with <see cref="EngineBusyException"/>. 0 or more.</summary>
    public int MostWaiting { get; init; } = 1024;

    /// <summary>Rows of a step at most: generated tokens, drafts and pieces of prompts together; at least 16.</summary>
    public int StepTokens { get; init; } = 512;

    /// <summary>How many times as long as one without a step with a piece of a prompt may take while texts are being generated: what a new request may cost
    /// those who read. At least 1.1.</summary>
    public double MostStretch { get; init; } = 1.8;

    /// <summary>Longest context, prompt and text together; null, or more than the model has, for all the model has.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>Tokens that the latent cache holds at most, over all texts and kept prompts; null for eight contexts, at most 131,072 tokens, and at least
    /// one context.</summary>
    public int? CacheTokens { get; init; }

    /// <summary>Type of the latent cache: F32, BF16, F8E4M3, or null for what suits the checkpoint.</summary>
    public DType? CacheType { get; init; }

    /// <summary>Tokens that the MTP module drafts for a text and step at most; how many are drafted follows from how many are accepted. 0 for none; without
    /// effect with a model that has no such module.</summary>
    public int MostDrafts { get; init; } = 4;

    /// <summary>Whether prompts that begin alike are computed once (<see cref="EngineRequest.PrefixScope"/>).</summary>
    public bool ReusePrefixes { get; init; } = true;

    /// <summary>Checks every value.</summary>
    /// <exception cref="GenerationException">A value is out of range; the message names it and the range.</exception>
    public void Validate()
    {
        Require(MostSequences is >= 1 and <= 4096, $"{MostSequences} texts at once are asked for; it can be 1 to 4096.");
        Require(MostWaiting >= 0, $"{MostWaiting} waiting requests are asked for; it has to be 0 or more.");
        Require(StepTokens >= 16, $"A step of {StepTokens} tokens is too short; it has to be at least 16.");
        Require(MostStretch >= 1.1, $"A stretch of {MostStretch} leaves no room for prompts; it has to be at least 1.1.");
        Require(ContextTokens is null or >= 2, $"A context of {ContextTokens} tokens is too short; it has to be at least 2.");
        Require(CacheTokens is null or >= 64, $"A cache of {CacheTokens} tokens is too small; it has to be at least 64.");
        Require(MostDrafts is >= 0 and <= DraftLength.Most, $"{MostDrafts} drafts per step are asked for; it can be 0 to {DraftLength.Most}.");

        static void Require(bool fits, string message)
        {
            if (!fits) throw new GenerationException(message);
        }
    }
}
