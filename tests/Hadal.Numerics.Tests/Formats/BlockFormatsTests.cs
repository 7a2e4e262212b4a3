using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Tests.Formats;

public class BlockFormatsTests
{
    // FP16: 1.0 is 0x3C00, 0.5 is 0x3800, 2.0 is 0x4000, little-endian.
    private static readonly byte[] _one = [0x00, 0x3C], _half = [0x00, 0x38], _two = [0x00, 0x40];

    public static TheoryData<BlockFormat> Formats => [.. BlockFormats.All];

    [Fact]
    public void Q4_0_holds_element_j_in_the_low_half_of_byte_j_and_element_j_plus_16_in_the_high_half()
    {
        byte[] block = [.. _half, .. Enumerable.Range(0, 16).Select(j => (byte)(j | (15 - j) << 4))];
        var values = Decoded(BlockFormat.Q40, block);
        for (int j = 0; j < 16; j++)
        {
            Assert.Equal(0.5f * (j - 8), values[j]);
            Assert.Equal(0.5f * (7 - j), values[j + 16]);
        }
    }

    [Fact]
    public void Q5_0_has_its_fifth_bits_in_a_word_of_their_own()
    {
        // Fifth bits of elements 0, 17 and 31; all low bits are 3.
        byte[] block = [.. _two, 0x01, 0x00, 0x02, 0x80, .. Enumerable.Repeat((byte)0x33, 16)];
        var values = Decoded(BlockFormat.Q50, block);
        for (int i = 0; i < 32; i++) Assert.Equal(i is 0 or 17 or 31 ? 2 * (19 - 16) : 2 * (3 - 16), values[i]);
    }

    [Fact]
    public void Q8_0_is_a_scale_and_signed_bytes()
    {
        byte[] block = [.. _half, .. Enumerable.Range(0, 32).Select(i => (byte)(sbyte)(i * 8 - 128))];
        var values = Decoded(BlockFormat.Q80, block);
        for (int i = 0; i < 32; i++) Assert.Equal(0.5f * (i * 8 - 128), values[i]);
    }

    // s = 1, 2, 3, 4, 17, 34, 51, 63 and m = 5, 6, 7, 8, 20, 33, 48, 62, packed by hand: bytes 0…3 hold s₀…s₃ and, above bit 6, the high bits of s₄…s₇
    // (1, 2, 3, 3); bytes 4…7 m₀…m₃ and those of m₄…m₇ (1, 2, 3, 3); bytes 8…11 the low halves of s₄…s₇ (1, 2, 3, 15) and m₄…m₇ (4, 1, 0, 14).
    private static readonly byte[] _packed = [1 | 1 << 6, 2 | 2 << 6, 3 | 3 << 6, 4 | 3 << 6, 5 | 1 << 6, 6 | 2 << 6, 7 | 3 << 6, 8 | 3 << 6, 0x41, 0x12, 0x03, 0xEF];
    private static readonly int[] _s = [1, 2, 3, 4, 17, 34, 51, 63], _m = [5, 6, 7, 8, 20, 33, 48, 62];

    [Fact]
    public void Q4_K_has_two_sub_blocks_in_the_halves_of_32_bytes_and_six_bit_scales_and_offsets()
    {
        byte[] block = [.. _half, .. _two, .. _packed, .. Enumerable.Range(0, 128).Select(i => (byte)(i % 16 | (15 - i % 16) << 4))];
        var values = Decoded(BlockFormat.Q4K, block);
        for (int e = 0; e < 256; e++)
        {
            int b = e / 32, i = e % 32, q = b % 2 == 0 ? i % 16 : 15 - i % 16;
            Assert.Equal(0.5f * _s[b] * q - 2f * _m[b], values[e]);
        }
    }

    [Fact]
    public void Q5_K_has_the_fifth_bit_of_sub_block_b_in_bit_b()
    {
        byte[] fifth = [.. Enumerable.Range(0, 32).Select(i => (byte)(1 << i % 8))];
        byte[] block = [.. _half, .. _two, .. _packed, .. fifth, .. Enumerable.Range(0, 128).Select(i => (byte)(i % 16 | (15 - i % 16) << 4))];
        var values = Decoded(BlockFormat.Q5K, block);
        for (int e = 0; e < 256; e++)
        {
            int b = e / 32, i = e % 32, q = (b % 2 == 0 ? i % 16 : 15 - i % 16) + (i % 8 == b ? 16 : 0);
            Assert.Equal(0.5f * _s[b] * q - 2f * _m[b], values[e]);
        }
    }

    [Fact]
    public void Q6_K_has_four_low_and_two_high_bits_and_signed_scales()
    {
        byte[] scales = [.. Enumerable.Range(0, 16).Select(b => (byte)(sbyte)(b * 3 - 20))];
        byte[] block = [.. Enumerable.Range(0, 128).Select(i => (byte)(i % 16 | (15 - i % 16) << 4)), .. Enumerable.Repeat((byte)0b11_10_01_00, 64), .. scales, .. _one];
        var values = Decoded(BlockFormat.Q6K, block);
        for (int e = 0; e < 256; e++)
        {
            // Quarter c of a half has c as its high bits here; quarters 0 and 1 are in the low halves of the bytes, 2 and 3 in the high ones.
            int c = e % 128 / 32, low = c < 2 ? e % 16 : 15 - e % 16;
            Assert.Equal((e / 16 * 3 - 20) * (c * 16 + low - 32), values[e]);
        }
    }

    /// <summary>
    /// Normal values, relative root mean square of the error. A uniform quantiser of step Δ errs by Δ/√12. For 32 normal values the range is 4.1 σ and
    /// the largest magnitude 2.2 σ on average (2.0 σ and, of 16, 1.8 σ for the smaller sub-blocks), so Δ is 2.2/127 for Q8_0, 2.2/8 for Q4_0, 2.2/16 for Q5_0,
    /// 4.1/15 for Q4_K, 4.1/31 for Q5_K and 1.8/32 for Q6_K. The bounds are those errors and a tenth for scales that are rounded themselves.
    /// </summary>
    [Theory]
    [InlineData(BlockFormat.Q80, 2.2 / 127)]
    [InlineData(BlockFormat.Q40, 2.2 / 8)]
    [InlineData(BlockFormat.Q50, 2.2 / 16)]
    [InlineData(BlockFormat.Q4K, 4.1 / 15)]
    [InlineData(BlockFormat.Q5K, 4.1 / 31)]
    [InlineData(BlockFormat.Q6K, 1.8 / 32)]
    public void Normal_values_come_back_within_the_error_of_a_uniform_quantiser(BlockFormat format, double step)
    {
        var values = Normal(1 << 15, seed: 7);
        double error = RelativeError(values, RoundTrip(format, values));
        Assert.InRange(error, 0.2 * step / Math.Sqrt(12), 1.1 * step / Math.Sqrt(12));
    }

    /// <summary>The search starts from plain rounding, so it can only gain; 2% are left for the rounding of the scale to FP16 and, in K-formats, to six bits.</summary>
    [Fact]
    public void The_search_is_no_worse_than_plain_rounding()
    {
        var values = Normal(1 << 14, seed: 8);
        var plain = new float[values.Length];
        for (int start = 0; start < values.Length; start += 32)
        {
            float extreme = values.AsSpan(start, 32).ToArray().MaxBy(MathF.Abs), d = extreme / -8;
            for (int i = start; i < start + 32; i++) plain[i] = d * Math.Clamp(MathF.Round(values[i] / d), -8, 7);
        }

        Assert.InRange(RelativeError(values, RoundTrip(BlockFormat.Q40, values)), 0, 1.02 * RelativeError(values, plain));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Zeros_stay_zeros_and_huge_and_tiny_values_stay_finite(BlockFormat format)
    {
        int n = format.BlockElements();
        Assert.All(RoundTrip(format, new float[n]), v => Assert.Equal(0, v));
        foreach (float scale in (float[])[float.MaxValue, 1e30f, 1e6f, 1e-6f, 1e-30f, float.Epsilon])
        {
            float[] values = [.. Normal(n, seed: 3).Select(v => Math.Clamp(v, -1, 1) * scale)];
            Assert.All(RoundTrip(format, values), v => Assert.True(float.IsFinite(v)));
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void One_value_throughout_comes_back_within_the_precision_of_its_scale(BlockFormat format)
    {
        // One code meets it exactly; what is left is the rounding of the FP16 scale, 2^-11, and in K-formats of a second product of the same kind.
        foreach (float value in (float[])[1, -1, 0.37f, -123.4f])
        {
            float[] values = [.. Enumerable.Repeat(value, format.BlockElements())];
            Assert.All(RoundTrip(format, values), v => Assert.InRange(v, value - MathF.Abs(value) / 500, value + MathF.Abs(value) / 500));
        }
    }

    /// <summary>Values that a format can hold are found again: blocks of codes are decoded, encoded and decoded to nearly the same values.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void What_a_format_holds_it_holds_again(BlockFormat format)
    {
        var values = RoundTrip(format, Normal(1 << 13, seed: 4));
        Assert.InRange(RelativeError(values, RoundTrip(format, values)), 0, format is BlockFormat.Q4K or BlockFormat.Q5K or BlockFormat.Q6K ? 0.03 : 0.001);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Parts_of_blocks_and_too_little_room_are_refused(BlockFormat format)
    {
        int n = format.BlockElements(), bytes = format.BlockBytes();
        Assert.Equal(3L * bytes, format.BytesFor(3L * n));
        Assert.Throws<ArgumentException>(() => format.BytesFor(n - 1));
        Assert.Throws<ArgumentException>(() => format.Decode(new byte[bytes - 1], new float[n]));
        Assert.Throws<ArgumentException>(() => format.Decode(new byte[bytes], new float[n - 1]));
        Assert.Throws<ArgumentException>(() => format.Encode(new float[n + 1], new byte[2 * bytes]));
        Assert.Throws<ArgumentException>(() => format.Encode(new float[n], new byte[bytes - 1]));
    }

    private static float[] Decoded(BlockFormat format, byte[] block)
    {
        Assert.Equal(format.BlockBytes(), block.Length);
        var values = new float[format.BlockElements()];
        format.Decode(block, values);
        return values;
    }

    private static float[] RoundTrip(BlockFormat format, float[] values)
    {
        var blocks = new byte[format.BytesFor(values.Length)];
        format.Encode(values, blocks);
        var back = new float[values.Length];
        format.Decode(blocks, back);
        return back;
    }

    private static double RelativeError(float[] values, float[] back)
    {
        double error = 0, size = 0;
        for (int i = 0; i < values.Length; i++)
        {
            error += Math.Pow(values[i] - (double)back[i], 2);
            size += Math.Pow(values[i], 2);
        }

        return Math.Sqrt(error / size);
    }

    // Box and Muller.
    private static float[] Normal(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
