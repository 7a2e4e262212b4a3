using Hadal.Data.Sources;

namespace Hadal.Data.Corpora;

/// <summary>Documents as tokens: each followed by an end token, concatenated, in two runs that share no document.</summary>
public sealed class TokenCorpus
{
    // Documents wait for encoding in groups of about this many characters.
    private const int GroupCharacters = 1 << 20;

    private TokenCorpus(TokenArray training, TokenArray validation, long trainingDocuments, long validationDocuments, long characters)
    {
        Training = training;
        Validation = validation;
        TrainingDocuments = trainingDocuments;
        ValidationDocuments = validationDocuments;
        Characters = characters;
    }

    /// <summary>Tokens to train on.</summary>
    public TokenArray Training { get; }

    /// <summary>Tokens to validate on.</summary>
    public TokenArray Validation { get; }

    /// <summary>Documents that fell to training.</summary>
    public long TrainingDocuments { get; }

    /// <summary>Documents that fell to validation; 0 where a few large documents had to be cut instead.</summary>
    public long ValidationDocuments { get; }

    /// <summary>UTF-16 code units read.</summary>
    public long Characters { get; }

    /// <summary>Reads, encodes and splits. Memory: the tokens, and about a megabyte of text at a time.</summary>
    /// <remarks>
    /// A document falls to validation when a hash of its id and the seed is below the fraction: the same on every machine, and unchanged by documents added elsewhere. Where
    /// that leaves validation with less than a quarter or more than four times its share of the tokens (few, or very uneven documents), the end of the larger run
    /// moves over instead.
    /// </remarks>
    /// <param name="documents">The texts, in the order in which they are concatenated.</param>
    /// <param name="encode">Text to token ids, without special tokens.</param>
    /// <param name="options">Vocabulary, end token, split.</param>
    /// <param name="progress">Receives the number of tokens so far after each group; may be null.</param>
    /// <param name="cancellation">Stops between groups.</param>
    /// <exception cref="DataException">There is no text, or an id is outside the vocabulary.</exception>
    public static TokenCorpus Build(
        IEnumerable<Document> documents,
        Func<string, int[]> encode,
        TokenCorpusOptions options,
        IProgress<long>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(documents);
        ArgumentNullException.ThrowIfNull(encode);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)options.EndOfSequenceId, (uint)options.VocabularySize);
        if (options.ValidationFraction is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.ValidationFraction, "The validation fraction is in [0, 1).");
        }

        var training = new TokenArrayBuilder(options.VocabularySize);
        var validation = new TokenArrayBuilder(options.VocabularySize);
        long trainingDocuments = 0, validationDocuments = 0, characters = 0;
        ReadOnlySpan<int> end = [options.EndOfSequenceId];
        foreach (List<Document> group in Groups(documents))
        {
            cancellation.ThrowIfCancellationRequested();
            int[][] ids = Encode(group, encode, options.Threads, cancellation);
            for (int i = 0; i < group.Count; i++)
            {
                if (options.MaximumTokens is { } most && (long)training.Count + validation.Count >= most) break;
                characters += group[i].Text.Length;
                bool validates = SplitHash.UnitInterval(group[i].Id, options.Seed) < options.ValidationFraction;
                TokenArrayBuilder side = validates ? validation : training;
                side.Append(ids[i]);
                side.Append(end);
                if (validates) validationDocuments++;
                else trainingDocuments++;
            }

            long total = (long)training.Count + validation.Count;
            progress?.Report(total);
            if (total >= options.MaximumTokens) break;
        }

        if (trainingDocuments + validationDocuments == 0) throw new DataException("The corpus is empty: there was no document to train on.");
        (TokenArray left, TokenArray right) = Balance(training.Build(), validation.Build(), options.ValidationFraction);
        return new TokenCorpus(left, right, trainingDocuments, validationDocuments, characters);
    }

    private static IEnumerable<List<Document>> Groups(IEnumerable<Document> documents)
    {
        var group = new List<Document>();
        long characters = 0;
        foreach (Document document in documents)
        {
            group.Add(document);
            characters += document.Text.Length;
            if (characters < GroupCharacters) continue;
            yield return group;
            group = [];
            characters = 0;
        }

        if (group.Count > 0) yield return group;
    }

    private static int[][] Encode(List<Document> group, Func<string, int[]> encode, int threads, CancellationToken cancellation)
    {
        int[][] ids = new int[group.Count][];
        if (threads == 1 || group.Count == 1)
        {
            for (int i = 0; i < ids.Length; i++) ids[i] = encode(group[i].Text);
            return ids;
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        try
        {
            Parallel.For(0, ids.Length, options, i => ids[i] = encode(group[i].Text));
        }
        catch (AggregateException e) when (e.InnerException is { } first)
        {
            // The encoder's own error says more than "one or more errors occurred".
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
        }

        return ids;
    }

    private static (TokenArray Training, TokenArray Validation) Balance(TokenArray training, TokenArray validation, double fraction)
    {
        long total = (long)training.Count + validation.Count;
        int target = (int)(total * fraction);
        if (4L * validation.Count >= target && validation.Count <= 4L * target) return (training, validation);
        if (validation.Count < target)
        {
            int keep = training.Count - (target - validation.Count);
            return (training.Slice(0, keep), training.Slice(keep, training.Count - keep).Concat(validation));
        }

        TokenArray excess = validation.Slice(target, validation.Count - target);
        return (training.Concat(excess), validation.Slice(0, target));
    }
}
