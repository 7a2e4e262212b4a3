using System.Security.Cryptography;

namespace Hadal.Inference.Sampling;

/// <summary>Chooses tokens from logits; the steps and their order are those of <see cref="SamplingOptions"/>.</summary>
/// <remarks>
/// Probabilities are computed in FP64 with operations that are the same on every machine, random numbers come from a PCG32 generator: logits and seed
/// determine the tokens. Allocates nothing after construction. Not thread-safe.
/// </remarks>
public sealed class Sampler
{
    private readonly SamplingOptions _options;
    private readonly int _allowed;
    private readonly int[] _excluded;
    private readonly float[] _logits;
    private readonly double[] _probabilities;
    private readonly ulong[] _keys;
    private readonly int[] _counts;
    private Pcg32 _random;

    /// <summary>A sampler with its random numbers at the start.</summary>
    /// <param name="options">What to apply.</param>
    /// <param name="vocabulary">Length of a row of logits, V.</param>
    /// <param name="allowed">Ids 0 … allowed - 1 are tokens; rows beyond belong to no token and are never chosen. At most V.</param>
    /// <param name="excluded">Ids below that are no tokens either, or must not be chosen; may be null.</param>
    /// <exception cref="GenerationException">An option is out of range.</exception>
    public Sampler(SamplingOptions options, int vocabulary, int allowed, IEnumerable<int>? excluded = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(allowed, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(allowed, vocabulary);
        options.Validate();
        (_options, _allowed, Vocabulary) = (options, allowed, vocabulary);
        _excluded = excluded is null ? [] : [.. excluded.Where(id => id >= 0 && id < allowed).Distinct()];
        if (_excluded.Length == allowed) throw new ArgumentException("All tokens are excluded.", nameof(excluded));
        _logits = new float[allowed];
        _probabilities = new double[allowed];
        _keys = new ulong[allowed];
        _counts = new int[vocabulary];
        Seed = options.Seed ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        _random = new Pcg32(Seed);
    }

    /// <summary>Length of a row of logits.</summary>
    public int Vocabulary { get; }

    /// <summary>The seed in use, given or arbitrary.</summary>
    public ulong Seed { get; }

    /// <summary>Whether the most probable token always wins.</summary>
    public bool IsGreedy => _options.Temperature == 0;

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">[V].</param>
    /// <param name="tokens">All tokens so far, for the penalties.</param>
    /// <param name="promptLength">How many of them are prompt.</param>
    /// <returns>The id.</returns>
    /// <exception cref="GenerationException">A logit is not a finite number.</exception>
    public int Sample(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        if (IsGreedy) return Best(logits, tokens, promptLength);
        Distribution(logits, tokens, promptLength, _probabilities);
        return Draw(_probabilities);
    }

    /// <summary>The probabilities that <see cref="Sample"/> draws from.</summary>
    /// <param name="logits">[V].</param>
    /// <param name="tokens">All tokens so far.</param>
    /// <param name="promptLength">How many of them are prompt.</param>
    /// <param name="probabilities">One per allowed token; they sum to 1.</param>
    /// <exception cref="GenerationException">A logit is not a finite number.</exception>
    public void Distribution(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, int promptLength, Span<double> probabilities)
    {
        if (probabilities.Length != _allowed) throw new ArgumentException($"There are {_allowed} tokens, not {probabilities.Length}.", nameof(probabilities));
        if (IsGreedy)
        {
            int best = Best(logits, tokens, promptLength);
            probabilities.Clear();
            probabilities[best] = 1;
            return;
        }

        Prepare(logits, tokens, promptLength);
        float peak = float.NegativeInfinity;
        for (int i = 0; i < _allowed; i++) peak = Math.Max(peak, _logits[i]);
        for (int i = 0; i < _allowed; i++) probabilities[i] = Exponential.Of(((double)_logits[i] - peak) / _options.Temperature);
        if (_options.TopK > 0 && _options.TopK < _allowed) KeepLargest(probabilities, _options.TopK);
        if (_options.TopP < 1) KeepNucleus(probabilities, _options.TopP);
        if (_options.MinP > 0)
        {
            // The largest weight is e^0 = 1.
            for (int i = 0; i < _allowed; i++) probabilities[i] = probabilities[i] < _options.MinP ? 0 : probabilities[i];
        }

        double sum = 0;
        for (int i = 0; i < _allowed; i++) sum += probabilities[i];
        for (int i = 0; i < _allowed; i++) probabilities[i] /= sum;
    }

    /// <summary>Draws from weights that need not sum to 1.</summary>
    internal int Draw(ReadOnlySpan<double> weights)
    {
        double sum = 0;
        foreach (double w in weights) sum += w;
        double place = _random.NextDouble() * sum, reached = 0;
        int last = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            if (weights[i] <= 0) continue;
            reached += weights[i];
            if (reached > place) return i;
            last = i;
        }

        return last;
    }

    /// <summary>A random number in [0, 1).</summary>
    internal double NextUniform() => _random.NextDouble();

    /// <summary>How many tokens can be chosen.</summary>
    internal int Allowed => _allowed;

    private int Best(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        Prepare(logits, tokens, promptLength);
        int best = 0;
        for (int i = 1; i < _allowed; i++)
        {
            if (_logits[i] > _logits[best]) best = i;
        }

        return best;
    }

    private void Prepare(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        if (logits.Length != Vocabulary) throw new ArgumentException($"A row has {Vocabulary} logits, not {logits.Length}.", nameof(logits));
        for (int i = 0; i < _allowed; i++)
        {
            if (!float.IsFinite(logits[i]))
            {
                throw new GenerationException(
                    $"The logits of the token at position {tokens.Length} are not finite (row {i} is {(float.IsNaN(logits[i]) ? "NaN" : "infinite")}); "
                    + "weights of the checkpoint are damaged or overflow.");
            }

            _logits[i] = logits[i];
        }

        foreach (int id in _excluded) _logits[id] = float.NegativeInfinity;
        Penalise(tokens, promptLength);
    }

    private void Penalise(ReadOnlySpan<int> tokens, int promptLength)
    {
        double repetition = _options.RepetitionPenalty, frequency = _options.FrequencyPenalty, presence = _options.PresencePenalty;
        if (repetition != 1)
        {
            foreach (int token in tokens)
            {
                if (token >= _allowed || _counts[token]++ > 0) continue;
                _logits[token] = (float)(_logits[token] > 0 ? _logits[token] / repetition : _logits[token] * repetition);
            }

            Forget(tokens);
        }

        if (frequency != 0 || presence != 0)
        {
            var generated = tokens[Math.Min(promptLength, tokens.Length)..];
            foreach (int token in generated)
            {
                if (token < _allowed) _counts[token]++;
            }

            foreach (int token in generated)
            {
                if (_counts[token] == 0) continue;
                _logits[token] = (float)(_logits[token] - _counts[token] * frequency - presence);
                _counts[token] = 0;
            }
        }
    }

    private void Forget(ReadOnlySpan<int> tokens)
    {
        foreach (int token in tokens) _counts[token] = 0;
    }

    private void KeepLargest(Span<double> weights, int most)
    {
        for (int i = 0; i < _allowed; i++) _keys[i] = Key(_logits[i], i);
        var keys = _keys.AsSpan(0, _allowed);
        ulong last = SmallestKeys.Nth(keys, most);
        for (int i = 0; i < _allowed; i++)
        {
            if (Key(_logits[i], i) > last) weights[i] = 0;
        }
    }

    private void KeepNucleus(Span<double> weights, double mass)
    {
        double sum = 0;
        int candidates = 0;
        for (int i = 0; i < _allowed; i++) sum += weights[i];

        // All tokens below (1 - p)/n of the sum together have less than 1 - p: they are outside and need no sorting.
        double floor = (1 - mass) / _allowed * sum;
        for (int i = 0; i < _allowed; i++)
        {
            if (weights[i] >= floor && weights[i] > 0) _keys[candidates++] = Key(_logits[i], i);
            else weights[i] = 0;
        }

        var keys = _keys.AsSpan(0, candidates);
        keys.Sort();
        double reached = 0;
        foreach (ulong key in keys)
        {
            int id = (int)(uint)key;
            if (reached >= mass * sum) weights[id] = 0;
            else reached += weights[id];
        }
    }

    // Orders by falling logit, then by rising id.
    private static ulong Key(float logit, int id)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        uint rising = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return (ulong)~rising << 32 | (uint)id;
    }
}
