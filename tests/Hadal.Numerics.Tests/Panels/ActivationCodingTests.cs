using System.Runtime.InteropServices;
using Hadal.Numerics.Formats;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Tests.Panels;

/// <summary>Activations as products code them, bit for bit, and every length of a product's inner size.</summary>
public sealed unsafe class ActivationCodingTests
{
    private static readonly GoldenTensors _golden = GoldenData.Tensors("fp8-unit", "fp8_unit.safetensors");

    public static TheoryData<string> Rows => ["act_quant/k256_", "act_quant/k320_", "weight/128x256_gemm_x", "weight/129x130_gemm_x", "weight/140x200_gemm_x", "weight/64x72_gemm_x"];

    [Theory]
    [MemberData(nameof(Rows))]
    public void E4m3_codes_and_scales_are_the_golden_ones(string name)
    {
        bool isGemm = name.EndsWith('x');
        float[] x = _golden.F32(isGemm ? name : name + "x"), scales = _golden.F32(isGemm ? name + "_scale" : name + "scale");
        var codes = _golden.Read<byte>(isGemm ? name + "_code" : name + "code");
        long[] shape = _golden.Shape(isGemm ? name : name + "x");
        int rows = (int)shape[0], depth = (int)shape[1], blocks = (depth + 127) / 128;
        var coded = new ushort[blocks * 128];
        var values = new ActivationBlock[blocks];
        for (int row = 0; row < rows; row++)
        {
            fixed (float* source = &x[row * depth])
            fixed (ushort* to = coded)
            fixed (ActivationBlock* block = values) ActivationCoding.Run(ActivationCode.E4M3, PanelFormat.E4M3(128), source, depth, (byte*)to, block);
            for (int k = 0; k < depth; k++) Assert.Equal(BFloat16.FromSingle(Float8E4M3.ToSingle(codes[row * depth + k])), coded[k]);
            for (int k = depth; k < coded.Length; k++) Assert.Equal(0, coded[k]);
            for (int b = 0; b < blocks; b++) Assert.Equal(BitConverter.SingleToUInt32Bits(scales[row * blocks + b]), BitConverter.SingleToUInt32Bits(values[b].Scale));
        }
    }

    /// <summary>Rounding alone: with a largest magnitude of 448 the scale is one, so a value's code is that of the golden table.</summary>
    [Fact]
    public void E4m3_rounding_is_the_golden_one_for_every_value_of_the_table()
    {
        float[] inputs = _golden.F32("encode/e4m3_in");
        var codes = _golden.Read<byte>("encode/e4m3_code");
        var x = new float[128];
        var coded = new ushort[128];
        ActivationBlock value;
        int compared = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            if (!(MathF.Abs(inputs[i]) <= 448)) continue;
            x[i % 127] = inputs[i];
            x[127] = 448;
            fixed (float* source = x)
            fixed (ushort* to = coded) ActivationCoding.Run(ActivationCode.E4M3, PanelFormat.E4M3(128), source, 128, (byte*)to, &value);
            Assert.Equal(1, value.Scale);
            Assert.Equal(BFloat16.FromSingle(Float8E4M3.ToSingle(codes[i])), coded[i % 127]);
            compared++;
        }

        Assert.True(compared > 1500, $"Only {compared} values were compared.");
    }

    [Fact]
    public void Bfloat16_rounding_is_the_golden_one_with_subnormals_as_zero()
    {
        float[] inputs = _golden.F32("bf16/in");
        var bits = _golden.Read<ushort>("bf16/bits");
        var coded = new ushort[(inputs.Length + 15) / 16 * 16];
        fixed (float* source = inputs)
        fixed (ushort* to = coded) ActivationCoding.Narrow(source, inputs.Length, to, coded.Length);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (!float.IsNaN(inputs[i])) Assert.Equal((bits[i] & 0x7F80) == 0 ? bits[i] & 0x8000 : bits[i], coded[i]);
        }
    }

    /// <summary>All codes of activations for every depth of a row, wherever vectors end, against one value at a time.</summary>
    [Fact]
    public void Rows_of_every_length_are_coded_as_their_blocks()
    {
        var random = new Random(2);
        var format = new PanelFormat(PanelElement.Byte, 32, 2, 128);
        float* x = stackalloc float[257];
        for (int i = 0; i < 257; i++) x[i] = random.NextSingle() - 0.5f;
        var codes = new byte[9 * 32 * 4];
        var values = new ActivationBlock[9];
        for (int depth = 0; depth <= 257; depth++)
        {
            fixed (byte* to = codes)
            fixed (ActivationBlock* block = values)
            {
                ActivationCoding.Run(ActivationCode.SignedByte, format, x, depth, to, block);
                for (int b = 0; b < format.Blocks(depth); b++)
                {
                    float amax = 0;
                    int sum = 0;
                    for (int k = b * 32; k < Math.Min(depth, b * 32 + 32); k++) amax = MathF.Max(amax, MathF.Abs(x[k]));
                    for (int k = b * 32; k < b * 32 + 32; k++)
                    {
                        int expected = k < depth ? (int)MathF.Round(x[k] * (127 / amax)) : 0;
                        Assert.Equal(expected, (sbyte)to[k]);
                        sum += expected;
                    }

                    Assert.Equal((amax / 127, -128 * sum, amax / 127 * sum), (block[b].Scale, block[b].Offset, block[b].Sum));
                }

                ActivationCoding.Run(ActivationCode.BFloat16, PanelFormat.BFloat16, x, depth, to, null);
                for (int k = 0; k < PanelFormat.BFloat16.Blocks(depth) * 16; k++) Assert.Equal(k < depth ? PanelCodes.Narrow(x[k]) : 0, ((ushort*)to)[k]);
                ActivationCoding.Run(ActivationCode.Single, PanelFormat.Float16, x, depth, to, null);
                for (int k = 0; k < PanelFormat.Float16.Blocks(depth) * 16; k++) Assert.Equal(k < depth ? x[k] : 0, ((float*)to)[k]);
            }
        }
    }

    [Fact]
    public void Products_of_every_depth_and_width_from_0_to_257_have_the_bits_of_the_reference()
    {
        PanelFormat[] formats = [.. PanelGemmTests.AllFormats];
        using var team = new ThreadTeam(1);
        for (int length = 0; length <= 257; length++)
        {
            // A depth and a width of that length for each format; depths are padded to blocks, so longer blocks see each of theirs several times.
            foreach (var format in formats)
            {
                Check(format, 1 + length % 3, 17, Math.Max(1, length));
                Check(format, 1 + length % 2, length, format.Block);
            }
        }

        void Check(in PanelFormat format, int m, int n, int k)
        {
            using var problem = new PanelCase(format, m, n, k, n * 1000 + k, accumulate: (n + k) % 2 == 0, misalignment: (n + k) % 4 * 4);
            float[] expected = problem.Run(KernelForm.Reference, team);
            foreach (var form in KernelForms.Available)
            {
                int same = MemoryMarshal.Cast<float, uint>(expected).CommonPrefixLength(MemoryMarshal.Cast<float, uint>(problem.Run(form, team)));
                Assert.True(same == expected.Length, $"{format} {m}×{n}×{k} {form}: element {same} differs.");
            }
        }
    }
}
