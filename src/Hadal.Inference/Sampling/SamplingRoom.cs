namespace Hadal.Inference.Sampling;

/// <summary>Intermediate values of a <see cref="Sampler"/>: about 24 bytes a token of the vocabulary, which samplers in turn can share.</summary>
internal sealed class SamplingRoom
{
    /// <summary>Room for choosing among tokens 0 … allowed - 1 of a vocabulary.</summary>
    public SamplingRoom(int vocabulary, int allowed) =>
        (Logits, Probabilities, Keys, Counts) = (new float[allowed], new double[allowed], new ulong[allowed], new int[vocabulary]);

    /// <summary>How many tokens it is for.</summary>
    public int Allowed => Logits.Length;

    public float[] Logits { get; }

    public double[] Probabilities { get; }

    public ulong[] Keys { get; }

    /// <summary>All zero between uses.</summary>
    public int[] Counts { get; }
}
