namespace Hadal.Numerics.Formats.Blocks;

/// <summary>Q4_K and Q5_K: 256 elements in 8 sub-blocks of 32, each with a scale and an offset of 6 bits that two FP16 numbers multiply.</summary>
/// <remarks>
/// Bytes: d (FP16), m₀ (FP16), 12 bytes of scales and offsets, for Q5_K 32 bytes of fifth bits, 128 bytes of low bits. An element of sub-block b is
/// d · s_b · q - m₀ · m_b. Low bits: byte 32 c + i (c = 0 … 3) holds element i of sub-block 2c in its low half and element i of sub-block 2c + 1 in its
/// high half. Fifth bits: bit b of byte i belongs to element i of sub-block b. Scales and offsets: byte b &lt; 4 holds s_b in its low 6 bits and the two
/// high bits of s_(b + 4) above them; byte b + 4 the same for m; byte b + 8 holds the low 4 bits of s_(b + 4) and, above them, of m_(b + 4).
/// </remarks>
internal static class OffsetSuperBlocks
{
    private const int Count = 256, Sub = 32, Subs = Count / Sub, MostScale = 63;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values, int bits)
    {
        float d = HalfScale.Read(block, 0), offset = HalfScale.Read(block, 2);
        var fifth = block.Slice(16, Sub);
        var low = block[^(Count / 2)..];
        for (int b = 0; b < Subs; b++)
        {
            var (s, m) = Scales(block.Slice(4, 12), b);
            float scale = d * s, shift = offset * m;
            var source = low.Slice(b / 2 * Sub, Sub);
            var part = values.Slice(b * Sub, Sub);
            int down = b % 2 * 4;
            if (bits == 4)
            {
                for (int i = 0; i < Sub; i++) part[i] = scale * (source[i] >> down & 15) - shift;
            }
            else
            {
                for (int i = 0; i < Sub; i++) part[i] = scale * (source[i] >> down & 15 | (fifth[i] >> b & 1) << 4) - shift;
            }
        }
    }

    public static void Encode(ReadOnlySpan<float> values, Span<byte> block, int bits)
    {
        int highest = (1 << bits) - 1;
        Span<float> scales = stackalloc float[Subs], offsets = stackalloc float[Subs], weights = stackalloc float[Sub];
        float mostScale = 0, mostOffset = 0;
        for (int b = 0; b < Subs; b++)
        {
            var part = values.Slice(b * Sub, Sub);
            ScaleSearch.Weigh(part, weights);
            (scales[b], offsets[b]) = ScaleSearch.WithOffset(part, weights, highest);
            mostScale = MathF.Max(mostScale, scales[b]);
            mostOffset = MathF.Max(mostOffset, offsets[b]);
        }

        block.Clear();
        float d = HalfScale.Write(block, 0, mostScale / MostScale), offset = HalfScale.Write(block, 2, mostOffset / MostScale);
        var fifth = block.Slice(16, Sub);
        var low = block[^(Count / 2)..];
        for (int b = 0; b < Subs; b++)
        {
            int s = Code(scales[b], d), m = Code(offsets[b], offset);
            SetScales(block.Slice(4, 12), b, s, m);

            // The codes are chosen again for the scale and offset as they are stored.
            float scale = d * s, shift = offset * m, inverse = scale > 0 ? 1 / scale : 0;
            var part = values.Slice(b * Sub, Sub);
            for (int i = 0; i < Sub; i++)
            {
                int q = (int)Math.Clamp(MathF.Round((part[i] + shift) * inverse), 0, highest);
                low[b / 2 * Sub + i] |= (byte)((q & 15) << b % 2 * 4);
                if (q > 15) fifth[i] |= (byte)(1 << b);
            }
        }
    }

    private static int Code(float value, float unit) => unit > 0 ? (int)Math.Clamp(MathF.Round(value / unit), 0, MostScale) : 0;

    private static (int Scale, int Offset) Scales(ReadOnlySpan<byte> packed, int b) => b < 4
        ? (packed[b] & 63, packed[b + 4] & 63)
        : (packed[b + 4] & 15 | packed[b - 4] >> 6 << 4, packed[b + 4] >> 4 | packed[b] >> 6 << 4);

    private static void SetScales(Span<byte> packed, int b, int s, int m)
    {
        if (b < 4)
        {
            packed[b] |= (byte)s;
            packed[b + 4] |= (byte)m;
            return;
        }

        packed[b + 4] = (byte)(s & 15 | (m & 15) << 4);
        packed[b - 4] |= (byte)(s >> 4 << 6);
        packed[b] |= (byte)(m >> 4 << 6);
    }
}
