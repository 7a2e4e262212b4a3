using System.Globalization;

namespace Hadal.Inference.Sampling;

/// <summary>How the next token is chosen from the logits. The default is greedy.</summary>
/// <remarks>
/// The steps, in this order: rows beyond the tokenizer are dropped; <see cref="LogitBias"/>; <see cref="RepetitionPenalty"/>; <see cref="FrequencyPenalty"/> and
/// <see cref="PresencePenalty"/>; at temperature 0 the largest logit wins (the lower id among equals) and nothing else applies; <see cref="Temperature"/>;
/// <see cref="TopK"/>; <see cref="TopP"/> on the probabilities that remain, made to sum to 1; <see cref="MinP"/> likewise; a draw.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Always the most probable token.</summary>
    public static SamplingOptions Greedy { get; } = new();

    /// <summary>Divides the logits; 0 for greedy. From 0 to 100.</summary>
    public double Temperature { get; init; }

    /// <summary>Keeps this many of the largest logits, the lower id first among equals; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the fewest most probable tokens whose probabilities reach this sum; above 0, at most 1. 1 keeps all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Drops tokens less probable than this share of the most probable one; from 0 (keeps all) to below 1.</summary>
    public double MinP { get; init; }

    /// <summary>For every token that prompt or text already has: a positive logit is divided by this, a negative one multiplied. 1 changes nothing; above
    /// 0.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted from a token's logit for each time it was generated (the prompt does not count); from -100 to 100.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Subtracted once from the logit of every token that was generated; from -100 to 100.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Added to the logits of single tokens, by id; each from -1000 to 1000. Null for none.</summary>
    public IReadOnlyDictionary<int, double>? LogitBias { get; init; }

    /// <summary>Start of the random numbers; the same seed gives the same text on every machine. Null for an arbitrary one.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="GenerationException">A value is out of range; the message names it and the range.</exception>
    public void Validate()
    {
        Require(Temperature is >= 0 and <= 100, "temperature", Temperature, "from 0 (greedy) to 100");
        Require(TopK >= 0, "top-k", TopK, "0 (off) or a positive number");
        Require(TopP is > 0 and <= 1, "top-p", TopP, "above 0 and at most 1 (off)");
        Require(MinP is >= 0 and < 1, "min-p", MinP, "from 0 (off) to below 1");
        Require(RepetitionPenalty is > 0 and <= 100, "repetition penalty", RepetitionPenalty, "above 0 (1 is off) and at most 100");
        Require(FrequencyPenalty is >= -100 and <= 100, "frequency penalty", FrequencyPenalty, "from -100 to 100");
        foreach (double bias in LogitBias?.Values ?? []) Require(bias is >= -1000 and <= 1000, "logit bias", bias, "from -1000 to 1000");
        Require(PresencePenalty is >= -100 and <= 100, "presence penalty", PresencePenalty, "from -100 to 100");
    }

    private static void Require(bool fits, string name, double value, string range)
    {
        if (!fits) throw new GenerationException(string.Create(CultureInfo.InvariantCulture, $"The {name} is {value}; it has to be {range}."));
    }
}
