using Hadal.Inference.Batching;

namespace Hadal.Serving.Answering;

/// <summary>Several answers to one request: each draws its own random numbers, yet the same for the same seed.</summary>
internal static class AnswerSeed
{
    /// <summary>The request of one answer.</summary>
    /// <param name="request">The request; without a seed it stays as it is.</param>
    /// <param name="number">Which answer it is, from 0 on.</param>
    public static EngineRequest Of(EngineRequest request, int number) =>
        request with { Sampling = request.Sampling with { Seed = request.Sampling.Seed + 0x9E3779B97F4A7C15UL * (ulong)number } };
}
