using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>Rounds a row of an operand to codes held as bfloat16, in which they are exact, with a scale per 128 values.</summary>
internal static unsafe class OperandRows
{
    private const float LeastAmax = 1e-4f;

    /// <summary>The scale for a largest magnitude: max(amax, 1e-4) / largest value, or the least power of two that is not below.</summary>
    public static float Scale(in OperandCoding coding, float amax)
    {
        float scale = MathF.Max(amax, LeastAmax) / coding.Largest;
        return coding.PowerOfTwoScales ? Ue8M0.ToSingle(Ue8M0.FromSingleRoundedUp(scale)) : scale;
    }

    /// <summary>Codes a row.</summary>
    /// <param name="coding">How.</param>
    /// <param name="x">FP32.</param>
    /// <param name="depth">Values.</param>
    /// <param name="padded">Codes, zeros behind the values.</param>
    /// <param name="codes">Gets the codes.</param>
    /// <param name="given">The scales, one per 128 values, if others share them; null if the row has its own.</param>
    /// <param name="givenStep">Floats between given scales: 0 if all are the same.</param>
    /// <param name="scales">Gets the scales; null without.</param>
    public static void Code(in OperandCoding coding, float* x, int depth, int padded, ushort* codes, float* given, int givenStep, float* scales)
    {
        if (!coding.IsScaled)
        {
            ActivationCoding.Narrow(x, depth, codes, padded);
            return;
        }

        float* tail = stackalloc float[OperandView.Tile];
        for (int k = 0; k < padded; k += OperandView.Tile, scales++)
        {
            float* block = Whole(x + k, depth - k, tail);
            *scales = given != null ? given[k / OperandView.Tile * givenStep] : Scale(coding, ActivationCoding.Amax(block, OperandView.Tile));
            if (coding.Number == CodedNumber.E4M3) ActivationCoding.RoundToE4M3(block, OperandView.Tile, *scales, codes + k);
            else Round(coding.Number, block, *scales, codes + k);
        }
    }

    /// <summary>A tile where it lies if it is whole, else in scratch with zeros behind it.</summary>
    /// <param name="x">Its first value.</param>
    /// <param name="count">Values from there on.</param>
    /// <param name="scratch">Room for a tile.</param>
    public static float* Whole(float* x, int count, float* scratch)
    {
        if (count >= OperandView.Tile) return x;
        new Span<float>(scratch, OperandView.Tile).Clear();
        new ReadOnlySpan<float>(x, count).CopyTo(new Span<float>(scratch, OperandView.Tile));
        return scratch;
    }

    private static void Round(CodedNumber number, float* x, float scale, ushort* codes)
    {
        for (int i = 0; i < OperandView.Tile; i++)
        {
            float value = x[i] / scale;
            float rounded = number == CodedNumber.E5M6 ? E5M6.ToSingle(E5M6.FromSingle(value)) : Float8E5M2.ToSingle(Float8E5M2.FromSingle(value));
            codes[i] = (ushort)(BitConverter.SingleToUInt32Bits(rounded) >> 16);
        }
    }
}
