namespace Hadal.Model.Tokenization;

/// <summary>
/// Trains a byte-level BPE vocabulary: the corpus is cut by the DeepSeek-V3 pre-tokenizer, and the most frequent adjacent pair within pieces becomes
/// a token, again and again.
/// </summary>
/// <remarks>
/// The result depends on the documents alone, neither on their order nor on the number of threads that cut and count: of several pairs with the highest count, that of the lowest left id is taken, then of
/// the lowest right id. Ids are laid out as in DeepSeek-V3: begin, end and padding tokens 0-2, the single bytes in the order of the byte alphabet 3-258,
/// merged tokens in the order of their making, added tokens last. No token can be made in two ways: a pair whose bytes are a token already is left alone.
/// Memory grows with the number of distinct pieces, not with the size of the corpus.
/// </remarks>
public static class BpeTrainer
{
    private const int LargestVocabulary = 10_000_000;

    internal static IReadOnlyList<string> ControlTokens { get; } = [DeepSeekTokens.BeginOfSentence, DeepSeekTokens.EndOfSentence, DeepSeekTokens.Pad];

    /// <summary>Trains a vocabulary.</summary>
    /// <param name="documents">The corpus; it is enumerated once. Lone surrogates count as U+FFFD.</param>
    /// <param name="options">What to make.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The vocabulary, smaller than wanted when no pair is left that occurs often enough.</returns>
    /// <exception cref="TokenizerException">The corpus holds no text or too many distinct pieces, or the options contradict each other.</exception>
    /// <exception cref="OperationCanceledException">Training was given up.</exception>
    public static TrainedTokenizer Train(IEnumerable<string> documents, BpeTrainerOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(documents);
        ArgumentNullException.ThrowIfNull(options);
        int wanted = MergesWanted(options);
        PairCorpus corpus = new(Count(documents, options, cancellation), wanted + 256);
        List<(int Left, int Right)> merges = [];
        ByteStringTable tokens = new(wanted + 256);
        ByteStringTable taken = Reserve(options.AddedTokens);
        for (int i = 0; i < 256; i++)
        {
            tokens.AddHidden([ByteAlphabet.Ordered[i]]);
            taken.Add([ByteAlphabet.Ordered[i]]);
        }

        byte[] joined = new byte[Math.Max(2, options.LongestToken)];
        while (merges.Count < wanted && corpus.TryTakeMostFrequent(Math.Max(1, options.MinimumPairCount), out int pair))
        {
            cancellation.ThrowIfCancellationRequested();
            (int left, int right) = corpus.TokensOf(pair);
            int length = tokens[left].Length + tokens[right].Length;
            if (length > joined.Length) continue;
            tokens[left].CopyTo(joined);
            tokens[right].CopyTo(joined.AsSpan(tokens[left].Length));
            if (taken.Add(joined.AsSpan(0, length)) < 0) continue;
            corpus.Merge(pair, tokens.AddHidden(joined.AsSpan(0, length)));
            merges.Add((left, right));
        }

        return new TrainedTokenizer(tokens, merges, options);
    }

    private static int MergesWanted(BpeTrainerOptions options)
    {
        int fixedEntries = ControlTokens.Count + 256 + options.AddedTokens.Count;
        if (options.VocabularySize < fixedEntries || options.VocabularySize > LargestVocabulary)
            throw new TokenizerException($"a vocabulary of {options.VocabularySize} entries cannot be made: {ControlTokens.Count} control tokens, 256 "
                + $"bytes and {options.AddedTokens.Count} added tokens need at least {fixedEntries}, and at most {LargestVocabulary} are allowed");
        return options.VocabularySize - fixedEntries;
    }

    /// <summary>The names of added tokens that could also come out of merging, which they must not.</summary>
    private static ByteStringTable Reserve(IReadOnlyList<string> addedTokens)
    {
        ByteStringTable reserved = new(addedTokens.Count);
        HashSet<string> distinct = [.. ControlTokens];
        foreach (string token in addedTokens)
        {
            if (string.IsNullOrEmpty(token) || WellFormedText.Repair(token) is not null)
                throw new TokenizerException("an added token must be text of at least one character without lone surrogates");
            if (!distinct.Add(token)) throw new TokenizerException($"the added token {FilePlace.Quote(token)} is given twice or is a control token");
            byte[] bytes = new byte[token.Length];
            if (!ByteAlphabet.TryRead(token, bytes)) continue;
            if (bytes.Length == 1) throw new TokenizerException($"the added token {FilePlace.Quote(token)} is already the entry of a single byte");
            reserved.Add(bytes);
        }

        return reserved;
    }

    private static PieceCounts Count(IEnumerable<string> documents, BpeTrainerOptions options, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MemoryBytes);
        long memory = options.MemoryBytes > 0 ? options.MemoryBytes : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 * 3;
        PieceCounts pieces = PieceCounts.Of(documents, options.Threads > 0 ? options.Threads : Environment.ProcessorCount, memory, cancellation);
        return pieces.Count > 0 ? pieces : throw new TokenizerException("the corpus holds no text to train a tokenizer on");
    }
}
