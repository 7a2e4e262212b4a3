using System.Numerics.Tensors;
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
    private readonly (int Token, float Bias)[] _bias;
    private SamplingRoom _room;
    private Pcg32 _random;

    /// <summary>A sampler with its random numbers at the start.</summary>
    /// <param name="options">What to apply.</param>
    /// <param name="vocabulary">Length of a row of logits, V.</param>
    /// <param name="allowed">Ids 0 … allowed - 1 are tokens; rows beyond belong to no token and are never chosen. At most V.</param>
    /// <param name="excluded">Ids below that are no tokens either, or must not be chosen; may be null.</param>
    /// <exception cref="GenerationException">An option is out of range.</exception>
    public Sampler(SamplingOptions options, int vocabulary, int allowed, IEnumerable<int>? excluded = null)
        : this(options, vocabulary, allowed, [.. (excluded ?? []).Where(id => id >= 0 && id < allowed).Distinct()], null)
    {
    }

    /// <summary>A sampler that works in a given room, or in one of its own.</summary>
    internal Sampler(SamplingOptions options, int vocabulary, int allowed, int[] excluded, SamplingRoom? room)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(allowed, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(allowed, vocabulary);
        options.Validate();
        (_options, _allowed, Vocabulary) = (options, allowed, vocabulary);
        if (excluded.Length == allowed) throw new ArgumentException("All tokens are excluded.", nameof(excluded));
        _excluded = excluded;
        _bias = Bias(options, allowed);
        _room = room ?? new SamplingRoom(vocabulary, allowed);
        Seed = options.Seed ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        _random = new Pcg32(Seed);
    }

    /// <summary>Length of a row of logits.</summary>
    public int Vocabulary { get; }

    /// <summary>The seed in use, given or arbitrary.</summary>
    public ulong Seed { get; }

    /// <summary>Whether the most probable token always wins.</summary>
    public bool IsGreedy => _options.Temperature == 0;

    /// <summary>Where intermediate values lie; samplers that do not work at the same time may share one.</summary>
    internal SamplingRoom Room
    {
        set => _room = value.Allowed == _allowed ? value : throw new ArgumentException($"The room is for {value.Allowed} tokens, not {_allowed}.");
    }

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">[V].</param>
    /// <param name="tokens">All tokens so far, for the penalties.</param>
    /// <param name="promptLength">How many of them are prompt.</param>
    /// <param name="mask">A bit per token, 64 to an element: those that may come next, at least one. Empty if all may.</param>
    /// <returns>The id.</returns>
    /// <exception cref="GenerationException">A logit is not a finite number.</exception>
    public int Sample(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, int promptLength, ReadOnlySpan<ulong> mask = default)
    {
        if (IsGreedy) return Best(logits, tokens, promptLength, mask);
        double[] probabilities = _room.Probabilities;
        Distribution(logits, tokens, promptLength, probabilities, mask);
        return Draw(probabilities);
    }

    /// <summary>The probabilities that <see cref="Sample"/> draws from.</summary>
    /// <param name="logits">[V].</param>
    /// <param name="tokens">All tokens so far.</param>
    /// <param name="promptLength">How many of them are prompt.</param>
    /// <param name="probabilities">One per allowed token; they sum to 1.</param>
    /// <param name="mask">As for <see cref="Sample"/>.</param>
    /// <exception cref="GenerationException">A logit is not a finite number.</exception>
    public void Distribution(
        ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, int promptLength, Span<double> probabilities, ReadOnlySpan<ulong> mask = default)
    {
        if (probabilities.Length != _allowed) throw new ArgumentException($"There are {_allowed} tokens, not {probabilities.Length}.", nameof(probabilities));
        if (IsGreedy)
        {
            int best = Best(logits, tokens, promptLength, mask);
            probabilities.Clear();
            probabilities[best] = 1;
            return;
        }

        var prepared = Prepare(logits, tokens, promptLength, mask);
        float peak = float.NegativeInfinity;
        foreach (float logit in prepared) peak = Math.Max(peak, logit);
        for (int i = 0; i < prepared.Length; i++) probabilities[i] = Exponential.Of(((double)prepared[i] - peak) / _options.Temperature);
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

    // The lowest id among equals, to which both zeros belong.
    private int Best(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, int promptLength, ReadOnlySpan<ulong> mask)
    {
        var prepared = Prepare(logits, tokens, promptLength, mask);
        return prepared.IndexOf(TensorPrimitives.Max(prepared));
    }

    // What the logits are after masks, biases and penalties.
    private ReadOnlySpan<float> Prepare(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, int promptLength, ReadOnlySpan<ulong> mask)
    {
        if (logits.Length != Vocabulary) throw new ArgumentException($"A row has {Vocabulary} logits, not {logits.Length}.", nameof(logits));
        var prepared = _room.Logits.AsSpan();
        logits[.._allowed].CopyTo(prepared);
        if (!TensorPrimitives.IsFiniteAll<float>(prepared)) throw NotFinite(prepared, tokens.Length);
        foreach (int id in _excluded) prepared[id] = float.NegativeInfinity;
        foreach (var (token, bias) in _bias) prepared[token] += bias;
        if (!mask.IsEmpty) Keep(mask, prepared);
        Penalise(prepared, tokens, promptLength);
        return prepared;
    }

    private static void Keep(ReadOnlySpan<ulong> mask, Span<float> logits)
    {
        if (mask.Length < (logits.Length + 63) / 64) throw new ArgumentException("The mask is shorter than the vocabulary.", nameof(mask));
        for (int first = 0; first < logits.Length; first += 64)
        {
            ulong allowed = mask[first / 64];
            var part = logits[first..Math.Min(first + 64, logits.Length)];
            if (allowed == ulong.MaxValue) continue;
            if (allowed == 0) part.Fill(float.NegativeInfinity);
            else
            {
                for (int i = 0; i < part.Length; i++) part[i] = (allowed >> i & 1) != 0 ? part[i] : float.NegativeInfinity;
            }
        }
    }

    private static (int Token, float Bias)[] Bias(SamplingOptions options, int allowed)
    {
        if (options.LogitBias is not { Count: > 0 } bias) return [];
        foreach (int token in bias.Keys)
        {
            if (token < 0 || token >= allowed) throw new GenerationException($"A logit bias names token {token}; tokens are 0 to {allowed - 1}.");
        }

        return [.. bias.Select(b => (b.Key, (float)b.Value))];
    }

    private static GenerationException NotFinite(ReadOnlySpan<float> logits, int position)
    {
        int row = 0;
        while (float.IsFinite(logits[row])) row++;
        return new GenerationException(
            $"The logits of the token at position {position} are not finite (row {row} is {(float.IsNaN(logits[row]) ? "NaN" : "infinite")}); "
            + "weights of the checkpoint are damaged or overflow.",
            GenerationFault.Computation);
    }

    private void Penalise(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        int[] counts = _room.Counts;
        double repetition = _options.RepetitionPenalty, frequency = _options.FrequencyPenalty, presence = _options.PresencePenalty;
        if (repetition != 1)
        {
            foreach (int token in tokens)
            {
                if (token >= _allowed || counts[token]++ > 0) continue;
                logits[token] = (float)(logits[token] > 0 ? logits[token] / repetition : logits[token] * repetition);
            }

            foreach (int token in tokens) counts[token] = 0;
        }

        if (frequency != 0 || presence != 0)
        {
            var generated = tokens[Math.Min(promptLength, tokens.Length)..];
            foreach (int token in generated)
            {
                if (token < _allowed) counts[token]++;
            }

            foreach (int token in generated)
            {
                if (counts[token] == 0) continue;
                logits[token] = (float)(logits[token] - counts[token] * frequency - presence);
                counts[token] = 0;
            }
        }
    }

    private void KeepLargest(Span<double> weights, int most)
    {
        float[] logits = _room.Logits;
        ulong[] keys = _room.Keys;
        for (int i = 0; i < _allowed; i++) keys[i] = Key(logits[i], i);
        ulong last = SmallestKeys.Nth(keys, most);
        for (int i = 0; i < _allowed; i++)
        {
            if (Key(logits[i], i) > last) weights[i] = 0;
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
            if (weights[i] >= floor && weights[i] > 0) _room.Keys[candidates++] = Key(_room.Logits[i], i);
            else weights[i] = 0;
        }

        var keys = _room.Keys.AsSpan(0, candidates);
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
