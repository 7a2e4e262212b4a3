using CsCheck;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Tests.Formats;

public class Float8Tests
{
    private static readonly GoldenTensors _golden = GoldenData.Tensors("fp8-unit", "fp8_unit.safetensors");

    private delegate void Widen(ReadOnlySpan<byte> source, Span<float> destination);

    private delegate void Narrow(ReadOnlySpan<float> source, Span<byte> destination);

    [Fact]
    public void E4M3_codes_have_the_golden_values() => CodesHaveTheGoldenValues("e4m3", Float8E4M3.ToSingle);

    [Fact]
    public void E5M2_codes_have_the_golden_values() => CodesHaveTheGoldenValues("e5m2", Float8E5M2.ToSingle);

    [Fact]
    public void E4M3_rounds_as_the_golden_file_does() => RoundsAsTheGoldenFileDoes("e4m3", Float8E4M3.FromSingle);

    [Fact]
    public void E5M2_rounds_as_the_golden_file_does() => RoundsAsTheGoldenFileDoes("e5m2", Float8E5M2.FromSingle);

    [Fact]
    public void Every_code_survives_the_way_to_FP32_and_back()
    {
        for (int code = 0; code < 256; code++)
        {
            float e4m3 = Float8E4M3.ToSingle((byte)code), e5m2 = Float8E5M2.ToSingle((byte)code);
            Assert.Equal(code, Float8E4M3.FromSingle(e4m3));
            int saturated = float.IsNaN(e5m2) ? code & 0x80 | 0x7F : float.IsInfinity(e5m2) ? code & 0x80 | 0x7B : code;
            Assert.Equal(saturated, Float8E5M2.FromSingle(e5m2));
        }
    }

    [Fact]
    public void Every_FP8_value_is_exact_in_bfloat16()
    {
        for (int code = 0; code < 256; code++)
        {
            foreach (float value in new[] { Float8E4M3.ToSingle((byte)code), Float8E5M2.ToSingle((byte)code) })
                Assert.Equal(value, BFloat16.ToSingle(BFloat16.FromSingle(value)));
        }
    }

    [Fact]
    public void No_other_finite_code_is_nearer()
    {
        Gen.OneOf(Gen.UInt.Select(BitConverter.UInt32BitsToSingle), Gen.Float[-600, 600], Gen.Float[-0.1f, 0.1f]).Where(float.IsFinite).Sample(value =>
        {
            NearestCodeIsChosen(value, Float8E4M3.FromSingle(value), Float8E4M3.ToSingle);
            NearestCodeIsChosen(value, Float8E5M2.FromSingle(value), Float8E5M2.ToSingle);
        }, iter: 5000);
    }

    [Fact]
    public void A_short_destination_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Float8E4M3.FromSingle(new float[3], new byte[2]));
        Assert.Throws<ArgumentException>(() => Float8E4M3.ToSingle(new byte[3], new float[2]));
        Assert.Throws<ArgumentException>(() => Float8E5M2.FromSingle(new float[3], new byte[2]));
        Assert.Throws<ArgumentException>(() => Float8E5M2.ToSingle(new byte[3], new float[2]));
    }

    private static void CodesHaveTheGoldenValues(string format, Widen widen)
    {
        var expected = _golden.Read<float>($"table/{format}_values");
        var actual = new float[256];
        widen([.. Enumerable.Range(0, 256).Select(c => (byte)c)], actual);
        for (int code = 0; code < 256; code++)
        {
            Assert.Equal(expected[code], actual[code]);
            Assert.Equal(code >= 128, float.IsNegative(actual[code]));
        }
    }

    private static void RoundsAsTheGoldenFileDoes(string format, Narrow narrow)
    {
        var values = _golden.Read<float>($"encode/{format}_in");
        var actual = new byte[values.Length];
        narrow(values, actual);
        Assert.Equal(_golden.Read<byte>($"encode/{format}_code"), actual);
    }

    private static void NearestCodeIsChosen(float value, byte chosen, Func<byte, float> toSingle)
    {
        double distance = Math.Abs((double)toSingle(chosen) - value);
        for (int code = 0; code < 256; code++)
        {
            float other = toSingle((byte)code);
            if (!float.IsFinite(other)) continue;
            double otherDistance = Math.Abs((double)other - value);
            Assert.True(distance <= otherDistance);
            // A tie between two values goes to the even code (0 and -0 are one value). Far outside the range FP64 cannot tell the distances apart.
            if (MathF.Abs(value) < 1e6f && distance == otherDistance && other != toSingle(chosen)) Assert.Equal(0, chosen & 1);
        }
    }
}
