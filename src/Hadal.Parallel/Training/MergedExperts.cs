using Hadal.Training.Experts;

namespace Hadal.Parallel.Training;

/// <summary>How the experts of one layer were used over all ranks.</summary>
internal sealed class MergedExperts(int experts, int groups, int chosen) : IExpertFigures
{
    public int Chosen => chosen;

    /// <summary>Tokens routed to each expert in this step.</summary>
    public long[] Load { get; } = new long[experts];

    /// <summary>Tokens with at least one expert in each group.</summary>
    public long[] TokensPerGroup { get; } = new long[groups];

    /// <summary>The correction biases.</summary>
    public float[] Biases { get; } = new float[experts];

    /// <summary>Tokens that the last evaluation routed to each expert.</summary>
    public long[] EvaluatedLoad { get; } = new long[experts];

    /// <summary>[T·C] choices of the first micro-batch of an evaluation.</summary>
    public int[] EvaluatedChoices { get; set; } = [];

    ReadOnlySpan<long> IExpertFigures.Load => Load;

    ReadOnlySpan<long> IExpertFigures.TokensPerGroup => TokensPerGroup;

    ReadOnlySpan<float> IExpertFigures.Biases => Biases;

    ReadOnlySpan<long> IExpertFigures.EvaluatedLoad => EvaluatedLoad;

    ReadOnlySpan<int> IExpertFigures.EvaluatedChoices => EvaluatedChoices;
}
