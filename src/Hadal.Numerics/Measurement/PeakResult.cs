namespace Hadal.Numerics.Measurement;

/// <summary>What a processor can do at most, as far as Hadal's kernels reach it: the limits that other measurements are shares of.</summary>
/// <param name="Threads">Threads at work together.</param>
/// <param name="ReadGbPerS">Memory read, in 10⁹ bytes per second, summed over the threads.</param>
/// <param name="Fp32Gflops">FP32 fused multiply-adds, in 10⁹ operations per second (a multiply-add counts as two).</param>
/// <param name="Bf16Gflops">BF16 dot products, in 10⁹ operations per second; null where there is no instruction for them.</param>
/// <param name="Int8Gops">8-bit integer dot products, in 10⁹ operations per second; null where there is no instruction for them.</param>
public sealed record PeakResult(int Threads, double ReadGbPerS, double Fp32Gflops, double? Bf16Gflops, double? Int8Gops);
