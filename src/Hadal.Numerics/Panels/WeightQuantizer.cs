using System.Runtime.Intrinsics;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>Codes a block of weights in eight or four bits.</summary>
internal static unsafe class WeightQuantizer
{
    // Candidates of the four-bit scale: the extreme value becomes code -8, stretched by up to this share up and down.
    private const int Candidates = 9;
    private const float Spread = 0.12f;

    /// <summary>E4M3: code nearest to x / scale with scale = amax / 448, ties to even.</summary>
    /// <returns>The scale.</returns>
    public static float ToE4M3(float* x, in PanelFormat format, byte* codes)
    {
        float scale = ActivationCoding.Amax(x, format.Block) / Float8E4M3.MaxValue;
        for (int k = 0; k < format.Block; k++) codes[k] = scale > 0 ? Float8E4M3.FromSingle(x[k] / scale) : (byte)0;
        return scale;
    }

    /// <summary>Bytes: code = round(x / scale) + zero point with scale = amax / 127, ties to even.</summary>
    /// <returns>The scale.</returns>
    public static float ToBytes(float* x, in PanelFormat format, byte* codes)
    {
        float amax = ActivationCoding.Amax(x, format.Block);
        float scale = amax / 127, inverse = amax > 1e-30f ? 127 / amax : 0;
        for (int k = 0; k < format.Block; k++) codes[k] = (byte)(format.ZeroPoint + (int)MathF.Round(x[k] * inverse));
        return scale;
    }

    /// <summary>Four bits: code = clamp(round(x / scale), -8, 7) + 8; of some scales around that which brings the extreme value to -8, the one with the least squared error.</summary>
    /// <returns>The scale, as FP16 holds it.</returns>
    public static float ToNibbles(float* x, in PanelFormat format, byte* codes)
    {
        float extreme = 0;
        for (int k = 0; k < format.Block; k++)
        {
            if (MathF.Abs(x[k]) > MathF.Abs(extreme)) extreme = x[k];
        }

        float best = 0, least = float.PositiveInfinity;
        for (int i = 0; i < Candidates; i++)
        {
            float scale = (float)(Half)(extreme / -8 * (1 + Spread * (2 * i - Candidates + 1) / (Candidates - 1)));
            float error = Error(x, format.Block, scale);
            if (error < least) (best, least) = (scale, error);
        }

        float inverse = best == 0 ? 0 : 1 / best;
        for (int k = 0; k < format.Block; k++) codes[k] = (byte)(format.ZeroPoint + (int)Math.Clamp(MathF.Round(x[k] * inverse), -8, 7));
        return best;
    }

    private static float Error(float* x, int count, float scale)
    {
        float inverse = scale == 0 ? 0 : 1 / scale;
        var total = Vector512<float>.Zero;
        for (int k = 0; k < count; k += 16)
        {
            var value = Vector512.Load(x + k);
            var code = Vector512.Clamp(Vector512.Round(value * inverse), Vector512.Create(-8f), Vector512.Create(7f));
            var difference = value - code * scale;
            total += difference * difference;
        }

        return Vector512.Sum(total);
    }
}
