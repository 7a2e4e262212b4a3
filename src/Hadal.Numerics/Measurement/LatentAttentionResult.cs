namespace Hadal.Numerics.Measurement;

/// <summary>How fast absorbed attention was.</summary>
/// <param name="Seconds">Time of the fastest call.</param>
/// <param name="Gflops">10⁹ operations per second: a multiply-add of the scores or the weighted sums counts as two.</param>
/// <param name="CacheGbPerS">10⁹ bytes of cached latents per second.</param>
public sealed record LatentAttentionResult(double Seconds, double Gflops, double CacheGbPerS);
