namespace Hadal.Model.Tokenization;

/// <summary>How to encode.</summary>
public sealed record EncodeOptions
{
    /// <summary>The options used when none are given: all added tokens are recognised, nothing is added.</summary>
    public static EncodeOptions Default { get; } = new();

    /// <summary>Options for untrusted content: no added token is recognised.</summary>
    public static EncodeOptions Untrusted { get; } = new() { AddedTokens = AddedTokenRecognition.None };

    /// <summary>Which added tokens to recognise in the text.</summary>
    public AddedTokenRecognition AddedTokens { get; init; }

    /// <summary>Puts the begin-of-sentence token first; an error when the tokenizer has none.</summary>
    public bool AddBos { get; init; }

    /// <summary>Puts the end-of-sentence token last; an error when the tokenizer has none.</summary>
    public bool AddEos { get; init; }
}
