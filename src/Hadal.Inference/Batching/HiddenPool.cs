namespace Hadal.Inference.Batching;

/// <summary>Makes the vector of a text from the hidden states of its tokens, which come in the order of their positions.</summary>
/// <remarks>Sums are FP64 and over one token after the other, so that the vector does not depend on the pieces in which a text is computed.</remarks>
internal sealed class HiddenPool(Pooling pooling, int width)
{
    private readonly double[] _sums = new double[width];

    /// <summary>[D], of length 1; null as long as the text is not computed to its end.</summary>
    public float[]? Vector { get; private set; }

    /// <summary>Forgets what has come: the text is computed again from its beginning.</summary>
    public void Clear() => Array.Clear(_sums);

    /// <summary>Takes the hidden state of the next token.</summary>
    /// <param name="hidden">[D].</param>
    public void Add(ReadOnlySpan<float> hidden)
    {
        if (pooling == Pooling.Last) Clear();
        for (int i = 0; i < _sums.Length; i++) _sums[i] += hidden[i];
    }

    /// <summary>There are no more tokens. A mean and a sum have the same direction, so there is nothing to divide by but the length.</summary>
    /// <exception cref="GenerationException">The hidden states have no direction.</exception>
    public void Finish()
    {
        double squares = 0;
        foreach (double sum in _sums) squares += sum * sum;
        double length = Math.Sqrt(squares);
        if (!double.IsFinite(length) || length == 0)
        {
            throw new GenerationException(
                $"The hidden states of the text are {(length == 0 ? "all zero" : "not finite")}, so it has no vector; weights of the checkpoint are damaged or overflow.",
                GenerationFault.Computation);
        }

        Vector = [.. _sums.Select(sum => (float)(sum / length))];
    }
}
