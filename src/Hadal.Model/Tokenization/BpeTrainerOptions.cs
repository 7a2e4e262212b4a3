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

    /// <summary>Threads that cut the corpus and count its pieces; 0 for one per logical processor. The result does not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Memory that training may take beside the documents in hand, in bytes, about; 0 for three quarters of what the process may use. A corpus with too many
    /// distinct pieces is refused, never cut.
    /// </summary>
    public long MemoryBytes { get; init; }
}
