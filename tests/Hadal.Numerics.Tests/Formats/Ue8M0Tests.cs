using CsCheck;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Tests.Formats;

public class Ue8M0Tests
{
    private static readonly GoldenTensors _golden = GoldenData.Tensors("fp8-unit", "fp8_unit.safetensors");

    [Fact]
    public void Code_c_is_two_to_the_power_of_c_minus_127()
    {
        for (int code = 0; code < 255; code++)
        {
            Assert.Equal(Math.ScaleB(1.0, code - 127), (double)Ue8M0.ToSingle((byte)code));
            Assert.Equal(code, Ue8M0.FromSingle(Ue8M0.ToSingle((byte)code)));
            Assert.Equal(code, Ue8M0.FromSingleRoundedUp(Ue8M0.ToSingle((byte)code)));
        }

        Assert.True(float.IsNaN(Ue8M0.ToSingle(255)));
    }

    [Fact]
    public void Rounding_is_to_the_nearest_power_with_the_middle_going_to_the_even_code()
    {
        for (int code = 0; code < 254; code++)
        {
            float middle = (float)Math.ScaleB(1.5, code - 127);
            Assert.Equal(code, Ue8M0.FromSingle(MathF.BitDecrement(middle)));
            Assert.Equal(code + (code & 1), Ue8M0.FromSingle(middle));
            Assert.Equal(code + 1, Ue8M0.FromSingle(MathF.BitIncrement(middle)));
        }

        Assert.Equal(0, Ue8M0.FromSingle(0));
        Assert.Equal(0, Ue8M0.FromSingle(-0f));
        Assert.Equal(254, Ue8M0.FromSingle(float.MaxValue));
        Assert.Equal(254, Ue8M0.FromSingle(float.PositiveInfinity));
        Assert.Equal(255, Ue8M0.FromSingle(float.NaN));
        Assert.Equal(255, Ue8M0.FromSingle(-1));
    }

    [Fact]
    public void Rounding_up_gives_the_smallest_power_not_below()
    {
        for (int code = 0; code < 254; code++)
        {
            float power = Ue8M0.ToSingle((byte)code);
            Assert.Equal(code, Ue8M0.FromSingleRoundedUp(MathF.BitDecrement(power)) + (code > 0 && MathF.BitDecrement(power) <= Ue8M0.ToSingle((byte)(code - 1)) ? 1 : 0));
            Assert.Equal(code + 1, Ue8M0.FromSingleRoundedUp(MathF.BitIncrement(power)));
        }

        Assert.Equal(0, Ue8M0.FromSingleRoundedUp(0));
        Assert.Equal(254, Ue8M0.FromSingleRoundedUp(float.MaxValue));
        Assert.Equal(255, Ue8M0.FromSingleRoundedUp(float.NaN));
        Assert.Equal(255, Ue8M0.FromSingleRoundedUp(-1));
    }

    // spec: amax 448 → 1, 449 → 2, 1e-5 → floor 1e-4 → 2^-22.
    [Theory]
    [InlineData(448f, 0)]
    [InlineData(449f, 1)]
    [InlineData(1e-5f, -22)]
    [InlineData(0f, -22)]
    [InlineData(float.MaxValue, 120)]
    public void Scale_of_a_known_maximum(float maximum, int exponent) => Assert.Equal(127 + exponent, Ue8M0.ScaleFor(maximum));

    [Fact]
    public void A_maximum_that_is_not_finite_has_no_scale()
    {
        Assert.Equal(255, Ue8M0.ScaleFor(float.PositiveInfinity));
        Assert.Equal(255, Ue8M0.ScaleFor(float.NaN));
    }

    [Fact]
    public void The_scale_is_the_smallest_power_that_brings_the_maximum_into_range()
    {
        // 448·2^n is exact in FP64, so these comparisons are exact.
        Gen.OneOf(Gen.UInt.Select(b => Math.Abs(BitConverter.UInt32BitsToSingle(b))), Gen.Int[-20, 118].Select(Gen.Int[-2, 2], (n, step) =>
            BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits((float)Math.ScaleB(448, n)) + step))).Where(float.IsFinite).Sample(maximum =>
        {
            double floored = Math.Max(maximum, 1e-4f);
            double scale = Ue8M0.ToSingle(Ue8M0.ScaleFor(maximum));
            return floored <= 448 * scale && floored > 448 * (scale / 2);
        }, iter: 10_000);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(320)]
    public void Activation_groups_have_the_golden_scales_and_codes(int columns)
    {
        var x = _golden.Read<float>($"act_quant/k{columns}_x");
        var scales = _golden.Read<float>($"act_quant/k{columns}_ue8m0_scale");
        var codes = _golden.Read<byte>($"act_quant/k{columns}_ue8m0_code");
        int groups = (columns + 127) / 128, rows = x.Length / columns;
        for (int row = 0; row < rows; row++)
        {
            for (int group = 0; group < groups; group++)
            {
                int start = row * columns + group * 128, length = Math.Min(128, columns - group * 128);
                float maximum = 0;
                foreach (float value in x.Slice(start, length)) maximum = MathF.Max(maximum, MathF.Abs(value));
                float scale = Ue8M0.ToSingle(Ue8M0.ScaleFor(maximum));
                Assert.Equal(scales[row * groups + group], scale);
                for (int i = start; i < start + length; i++) Assert.Equal(codes[i], Float8E4M3.FromSingle(x[i] / scale));
            }
        }
    }
}
