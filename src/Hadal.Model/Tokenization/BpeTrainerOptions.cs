namespace Hadal.Model.Tokenization;

/// <summary>What <see cref="BpeTrainer"/> is to make.</summary>
public sealed record BpeTrainerOptions
{
    /// <summary>The wanted size of the vocabulary, everything counted: 3 control tokens, 256 bytes, merged tokens and <see cref="AddedTokens"/>.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>
    /// Further added tokens, which get the last ids in this order and are not marked special; for example <see cref="DeepSeekTokens.FimAndChat"/>.
    /// </summary>
    public IReadOnlyList<string> AddedTokens { get; init; } = [];

    /// <summary>Pairs that occur less often than this in the corpus are not merged, even if the vocabulary stays smaller.</summary>
    public long MinimumPairCount { get; init; } = 2;

    /// <summary>Merged tokens are at most this many bytes long.</summary>
    public int LongestToken { get; init; } = 128;
}
