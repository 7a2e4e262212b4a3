using Hadal.Inference.Experts;

namespace Hadal.Inference.Measurement;

/// <summary>A measured speed.</summary>
/// <param name="Kind">"prefill" or "decode".</param>
/// <param name="Batch">Sequences together.</param>
/// <param name="Depth">Tokens held before.</param>
/// <param name="TokensPerSecond">Over all sequences; the median.</param>
/// <param name="BytesPerToken">Weights and cache read per token of the batch: what a step reads, divided by its tokens.</param>
/// <param name="OperationsPerToken">Multiply-adds of the products, counted as two.</param>
public sealed record BenchmarkResult(string Kind, int Batch, int Depth, double TokensPerSecond, double BytesPerToken, double OperationsPerToken)
{
    /// <summary>What the cache of routed experts did in the timed runs; null if all experts are kept.</summary>
    public ExpertStatistics? Experts { get; init; }
}
