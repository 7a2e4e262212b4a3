using Hadal.Data.Corpora;

namespace Hadal.Data.Baselines;

/// <summary>
/// The yardstick for a small language model: the best that counting pairs of neighbouring tokens can do. Interpolated Kneser-Ney smoothing, so no token ever has
/// probability zero.
/// </summary>
/// <remarks>
/// With c(v,w) the count of the pair, c(v·) of its first token as a first token, N(·w) the number of different tokens seen before w, N(v·) after v, N the number of different
/// pairs and V the vocabulary (Kneser and Ney, 1995; interpolated form: Chen and Goodman, 1998, section 4.1.6):
/// <code>
/// p(w|v) = max(c(v,w) − D₂, 0)/c(v·) + D₂·N(v·)/c(v·) · q(w)
/// q(w)   = max(N(·w) − D₁, 0)/N + D₁·#{w : N(·w) > 0}/N · 1/V
/// </code>
/// Each discount is n₁/(n₁ + 2·n₂) of its own counts (n_k: how many are exactly k; Ney, Essen and Kneser, 1994).
/// </remarks>
public sealed class BigramModel
{
    // Where the counts give no estimate, or one of zero, some mass must still go to what was never seen.
    private const double SmallestDiscount = 0.01;
    private const double UsualDiscount = 0.75;

    private readonly int[] _rowStart;
    private readonly int[] _next;
    private readonly int[] _count;
    private readonly long[] _firstCount;
    private readonly double[] _lower;

    private BigramModel(int[] rowStart, int[] next, int[] count, long[] firstCount, double[] lower, double discount, double lowerDiscount)
    {
        _rowStart = rowStart;
        _next = next;
        _count = count;
        _firstCount = firstCount;
        _lower = lower;
        Discount = discount;
        LowerDiscount = lowerDiscount;
    }

    /// <summary>V: tokens it gives probabilities to.</summary>
    public int VocabularySize => _lower.Length;

    /// <summary>Different pairs that were seen.</summary>
    public int Pairs => _next.Length;

    /// <summary>D₂, taken off every pair's count.</summary>
    public double Discount { get; }

    /// <summary>D₁, taken off every continuation count.</summary>
    public double LowerDiscount { get; }

    /// <summary>Counts every pair of neighbours. Memory: 4 bytes a token while counting, 8 bytes a different pair after.</summary>
    /// <param name="tokens">The tokens that the model it is compared with was trained on; at least 2.</param>
    /// <exception cref="DataException">There are fewer than two tokens.</exception>
    public static BigramModel Train(TokenArray tokens) => Train(tokens, static _ => true);

    /// <summary>Counts exactly the pairs that a model has been trained to predict: those inside the windows of its first steps, each once.</summary>
    /// <param name="batches">What the model was trained on.</param>
    /// <param name="steps">How many steps it was trained for.</param>
    public static BigramModel Train(PackedBatches batches, long steps)
    {
        ArgumentNullException.ThrowIfNull(batches);
        bool[] seen = batches.WindowsSeen(steps);
        return Train(batches.Tokens, i => i / batches.SequenceLength is var window && window < seen.Length && seen[window]);
    }

    private static BigramModel Train(TokenArray tokens, Predicate<int> counts)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (tokens.Count < 2) throw new DataException("A bigram model needs at least two tokens to count.");
        int vocabulary = tokens.VocabularySize;

        // Successors sorted by predecessor, then each predecessor's successors sorted and run-length encoded.
        int[] bucketStart = new int[vocabulary + 1];
        for (int i = 0; i + 1 < tokens.Count; i++)
        {
            if (counts(i)) bucketStart[tokens[i] + 1]++;
        }

        for (int v = 0; v < vocabulary; v++) bucketStart[v + 1] += bucketStart[v];
        int[] successors = new int[bucketStart[vocabulary]];
        int[] filled = bucketStart.AsSpan(0, vocabulary).ToArray();
        for (int i = 0; i + 1 < tokens.Count; i++)
        {
            if (counts(i)) successors[filled[tokens[i]]++] = tokens[i + 1];
        }

        int[] rowStart = new int[vocabulary + 1];
        var next = new List<int>();
        var count = new List<int>();
        long[] firstCount = new long[vocabulary];
        int[] before = new int[vocabulary];
        for (int v = 0; v < vocabulary; v++)
        {
            Span<int> row = successors.AsSpan(bucketStart[v], bucketStart[v + 1] - bucketStart[v]);
            row.Sort();
            firstCount[v] = row.Length;
            for (int i = 0; i < row.Length;)
            {
                int start = i;
                while (i < row.Length && row[i] == row[start]) i++;
                next.Add(row[start]);
                count.Add(i - start);
                before[row[start]]++;
            }

            rowStart[v + 1] = next.Count;
        }

        double lowerDiscount = EstimateDiscount(before);
        int[] pairCounts = [.. count];
        return new BigramModel(rowStart, [.. next], pairCounts, firstCount, Continuation(before, next.Count, lowerDiscount), EstimateDiscount(pairCounts), lowerDiscount);
    }

    /// <summary>p(next | previous), in (0, 1]; the probabilities of all next tokens sum to 1.</summary>
    public double Probability(int previous, int next)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)previous, (uint)VocabularySize, nameof(previous));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)next, (uint)VocabularySize, nameof(next));
        double lower = _lower[next];
        long seen = _firstCount[previous];
        if (seen == 0) return lower;
        int start = _rowStart[previous], length = _rowStart[previous + 1] - start;
        int at = _next.AsSpan(start, length).BinarySearch(next);
        double own = at >= 0 ? Math.Max(_count[start + at] - Discount, 0) : 0;
        return (own + Discount * length * lower) / seen;
    }

    /// <summary>Mean of −ln p over every token but the first, in nats a token.</summary>
    /// <param name="tokens">At least two.</param>
    public double CrossEntropy(ReadOnlySpan<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens.Length, 2, nameof(tokens));
        double sum = 0;
        for (int i = 1; i < tokens.Length; i++) sum -= Math.Log(Probability(tokens[i - 1], tokens[i]));
        return sum / (tokens.Length - 1);
    }

    /// <summary>Mean of −ln p over every token but the first, in nats a token.</summary>
    /// <param name="tokens">At least two.</param>
    public double CrossEntropy(TokenArray tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens.Count, 2, nameof(tokens));
        return Sum(tokens, 0, tokens.Count - 1) / (tokens.Count - 1);
    }

    /// <summary>Mean of −ln p over exactly the predictions that a model makes on these windows, in nats a token.</summary>
    public double CrossEntropy(ValidationWindows windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        double sum = 0;
        for (int w = 0; w < windows.Count; w++) sum += Sum(windows.Tokens, windows.Start(w), windows.SequenceLength);
        return sum / windows.Predictions;
    }

    private double Sum(TokenArray tokens, int start, int predictions)
    {
        double sum = 0;
        int previous = tokens[start];
        for (int i = 1; i <= predictions; i++)
        {
            int next = tokens[start + i];
            sum -= Math.Log(Probability(previous, next));
            previous = next;
        }

        return sum;
    }

    private static double[] Continuation(int[] before, int pairs, double discount)
    {
        int seen = before.Count(n => n > 0);
        double floor = discount * seen / pairs / before.Length;
        return [.. before.Select(n => Math.Max(n - discount, 0) / pairs + floor)];
    }

    private static double EstimateDiscount(ReadOnlySpan<int> counts)
    {
        long ones = counts.Count(1), twos = counts.Count(2);
        return ones + twos == 0 ? UsualDiscount : Math.Max(SmallestDiscount, ones / (ones + 2.0 * twos));
    }
}
