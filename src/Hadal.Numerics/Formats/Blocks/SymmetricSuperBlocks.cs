namespace Hadal.Numerics.Formats.Blocks;

/// <summary>Q6_K: 256 elements in 16 sub-blocks of 16, each with a signed scale of 8 bits that one FP16 number multiplies.</summary>
/// <remarks>
/// Bytes: 128 of low bits, 64 of high bits, 16 scales, d (FP16). An element of sub-block b is d · s_b · (q - 32). Each half of 128 elements (h = 0, 1) has
/// 64 bytes of low bits and 32 of high bits: its element 32 c + i (c = 0 … 3) has its low 4 bits in byte 32 (c mod 2) + i, in the low half of the byte for
/// c &lt; 2, else in the high half, and its high 2 bits in bits 2c, 2c + 1 of byte i.
/// </remarks>
internal static class SymmetricSuperBlocks
{
    private const int Count = 256, Sub = 16, Subs = Count / Sub, Zero = 32;
    private const int HighStart = 128, ScaleStart = 192, UnitStart = 208;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = HalfScale.Read(block, UnitStart);
        for (int half = 0; half < 2; half++)
        {
            var low = block.Slice(half * 64, 64);
            var high = block.Slice(HighStart + half * 32, 32);
            for (int c = 0; c < 4; c++)
            {
                var source = low.Slice(c % 2 * 32, 32);
                var part = values.Slice(half * 128 + c * 32, 32);
                int scaleAt = ScaleStart + half * 8 + c * 2, down = c / 2 * 4;
                float first = d * (sbyte)block[scaleAt], second = d * (sbyte)block[scaleAt + 1];
                for (int i = 0; i < 32; i++)
                {
                    int q = (source[i] >> down & 15 | (high[i] >> 2 * c & 3) << 4) - Zero;
                    part[i] = (i < Sub ? first : second) * q;
                }
            }
        }
    }

    public static void Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<float> scales = stackalloc float[Subs], weights = stackalloc float[Sub];
        float extreme = 0;
        for (int b = 0; b < Subs; b++)
        {
            var part = values.Slice(b * Sub, Sub);
            ScaleSearch.Weigh(part, weights);
            scales[b] = ScaleSearch.Symmetric(part, weights, -Zero, Zero - 1);
            if (MathF.Abs(scales[b]) > MathF.Abs(extreme)) extreme = scales[b];
        }

        block.Clear();
        // The largest scale gets the code -128, the longer side of a signed byte.
        float d = HalfScale.Write(block, UnitStart, extreme / -128);
        float inverseUnit = d != 0 ? 1 / d : 0;
        for (int b = 0; b < Subs; b++)
        {
            int s = (int)Math.Clamp(MathF.Round(scales[b] * inverseUnit), -128, 127);
            block[ScaleStart + b] = (byte)(sbyte)s;
            float scale = d * s, inverse = scale != 0 ? 1 / scale : 0;
            for (int i = 0; i < Sub; i++)
            {
                int q = Zero + (int)Math.Clamp(MathF.Round(values[b * Sub + i] * inverse), -Zero, Zero - 1);
                int half = b / 8, c = b % 8 / 2, place = b % 2 * Sub + i;
                block[half * 64 + c % 2 * 32 + place] |= (byte)((q & 15) << c / 2 * 4);
                block[HighStart + half * 32 + place] |= (byte)(q >> 4 << 2 * c);
            }
        }
    }
}
