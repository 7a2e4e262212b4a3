using System.Numerics.Tensors;
using Hadal.Inference.Constraints;
using Hadal.Inference.Sampling;

namespace Hadal.Inference.Batching;

/// <summary>What choosing a token needs, for one text at a time.</summary>
internal sealed class ChoosingRoom(int vocabulary, int allowed)
{
    private readonly ulong[] _mask = new ulong[(allowed + 63) / 64];

    /// <summary>A row of logits as the model gives it.</summary>
    public float[] Logits { get; } = new float[vocabulary];

    /// <summary>What a grammar allows, ends included.</summary>
    /// <param name="grammar">Where the text is in its grammar; null for no constraint.</param>
    /// <param name="ends">Tokens that end the text.</param>
    /// <returns>The mask for the sampler; empty for no constraint.</returns>
    public ReadOnlySpan<ulong> Mask(GrammarState? grammar, IReadOnlyCollection<int> ends)
    {
        if (grammar is null) return [];
        if (!grammar.CanEnd) return grammar.Allowed;
        grammar.Allowed.CopyTo(_mask);
        foreach (int end in ends)
        {
            // A model's settings may name ends that its tokenizer has not.
            if ((uint)end < (uint)allowed) _mask[end / 64] |= 1UL << end;
        }

        return _mask;
    }

    public SamplingRoom Sampling { get; } = new(vocabulary, allowed);

    /// <summary>log softmax of <see cref="Logits"/> over the tokens that exist.</summary>
    /// <param name="token">The chosen token.</param>
    /// <param name="most">How many alternatives, in falling order, the lower id first among equals.</param>
    public TokenScore Score(int token, int most)
    {
        var logits = Logits.AsSpan(0, allowed);
        float peak = TensorPrimitives.Max<float>(logits);
        double sum = 0;
        foreach (float logit in logits) sum += Math.Exp((double)logit - peak);
        double normaliser = peak + Math.Log(sum);
        var best = new List<(int Token, float LogProbability)>(most);
        float floor = float.NegativeInfinity;
        for (int i = 0; i < logits.Length && most > 0; i++)
        {
            if (best.Count == most && logits[i] <= floor) continue;
            int place = best.Count;
            while (place > 0 && best[place - 1].LogProbability < logits[i]) place--;
            if (best.Count == most) best.RemoveAt(most - 1);
            best.Insert(place, (i, logits[i]));
            floor = best[^1].LogProbability;
        }

        for (int i = 0; i < best.Count; i++) best[i] = (best[i].Token, (float)(best[i].LogProbability - normaliser));
        return new TokenScore(token, (float)(logits[token] - normaliser), best);
    }
}
