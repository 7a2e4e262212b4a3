using CsCheck;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Tests.Formats;

public class BFloat16Tests
{
    private static readonly GoldenTensors _golden = GoldenData.Tensors("fp8-unit", "fp8_unit.safetensors");

    [Fact]
    public void Every_code_survives_the_way_to_FP32_and_back()
    {
        for (int code = 0; code < 65536; code++)
        {
            float value = BFloat16.ToSingle((ushort)code);
            Assert.Equal((uint)code << 16, BitConverter.SingleToUInt32Bits(value));
            bool signalling = float.IsNaN(value) && (code & 0x40) == 0;
            Assert.Equal(signalling ? code | 0x40 : code, BFloat16.FromSingle(value));
        }
    }

    [Fact]
    public void The_middle_between_neighbours_goes_to_the_even_code_and_its_FP32_neighbours_to_the_near_one()
    {
        for (uint code = 0; code < 0x7F80; code++)
        {
            uint middle = code << 16 | 0x8000;
            uint even = code + (code & 1);
            foreach (uint sign in new[] { 0u, 0x8000u })
            {
                Assert.Equal(sign | code, BFloat16.FromSingle(BitConverter.UInt32BitsToSingle(sign << 16 | middle - 1)));
                Assert.Equal(sign | even, BFloat16.FromSingle(BitConverter.UInt32BitsToSingle(sign << 16 | middle)));
                Assert.Equal(sign | code + 1, BFloat16.FromSingle(BitConverter.UInt32BitsToSingle(sign << 16 | middle + 1)));
            }
        }
    }

    [Fact]
    public void Golden_roundings_agree()
    {
        var values = _golden.Read<float>("bf16/in");
        var expected = _golden.Read<ushort>("bf16/bits");
        var actual = new ushort[values.Length];
        BFloat16.FromSingle(values, actual);
        for (int i = 0; i < values.Length; i++)
        {
            if (float.IsNaN(values[i])) Assert.True(float.IsNaN(BFloat16.ToSingle(actual[i])));
            else Assert.Equal(expected[i], actual[i]);
        }
    }

    [Fact]
    public void A_NaN_never_becomes_a_number()
    {
        foreach (uint bits in new[] { 0x7F800001u, 0xFF800001u, 0x7FFFFFFFu, 0xFFFFFFFFu, 0x7FC00000u })
        {
            ushort code = BFloat16.FromSingle(BitConverter.UInt32BitsToSingle(bits));
            Assert.True(float.IsNaN(BFloat16.ToSingle(code)));
            Assert.Equal(bits >> 31, (uint)code >> 15);
        }
    }

    [Fact]
    public void Bulk_conversions_equal_single_ones_at_every_length()
    {
        var patterns = Gen.UInt.Array[0, 100];
        patterns.Sample(bits =>
        {
            var values = bits.Select(BitConverter.UInt32BitsToSingle).ToArray();
            var codes = new ushort[values.Length];
            var widened = new float[values.Length];
            BFloat16.FromSingle(values, codes);
            BFloat16.ToSingle(codes, widened);
            return codes.SequenceEqual(values.Select(BFloat16.FromSingle)) &&
                widened.Select(BitConverter.SingleToUInt32Bits).SequenceEqual(codes.Select(c => (uint)c << 16));
        }, iter: 2000);
    }

    [Fact]
    public void A_short_destination_is_refused()
    {
        Assert.Throws<ArgumentException>(() => BFloat16.FromSingle(new float[3], new ushort[2]));
        Assert.Throws<ArgumentException>(() => BFloat16.ToSingle(new ushort[3], new float[2]));
    }
}
