using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Formats;
using Hadal.Numerics.Kernels;
using Iced.Intel;

namespace Hadal.Numerics.Tests.Panels;

/// <summary>What the kernels for processors without AVX-512 consist of; their results are compared in <see cref="PanelGemmTests"/>.</summary>
public sealed class PanelKernelCode256Tests
{
    private static readonly PanelFormat[] _formats =
    [
        PanelFormat.BFloat16,
        PanelFormat.ScaledBFloat16(128),
        PanelFormat.E4M3(128),
        new(PanelElement.Byte, 32, 2, 128),
        new(PanelElement.Byte, 16, 4, 32),
        new(PanelElement.Nibble, 32, 4, 0, true),
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_instruction_is_one_that_processors_without_AVX_512_have(bool hasByteDot)
    {
        CpuidFeature[] allowed = [CpuidFeature.AVX, CpuidFeature.AVX2, CpuidFeature.FMA, CpuidFeature.F16C];
        foreach (var format in _formats)
        {
            bool dots = false;
            foreach (var instruction in Instructions(new PanelKernelCode256(format, format.Element == PanelElement.E4M3 ? 1 : 6, format.Element == PanelElement.E4M3 ? 4 : 1, true, hasByteDot)))
            {
                dots |= instruction.CpuidFeatures.Contains(CpuidFeature.AVX_VNNI);
                if (instruction.Encoding == EncodingKind.Legacy) continue;
                Assert.Equal(EncodingKind.VEX, instruction.Encoding);
                Assert.All(instruction.CpuidFeatures, f => Assert.True(allowed.Contains(f) || hasByteDot && f == CpuidFeature.AVX_VNNI, $"{format}: {instruction} needs {f}."));
            }

            Assert.Equal(hasByteDot && format.HasByteActivations, dots);
        }
    }

    [Fact]
    public void A_format_with_properties_that_the_kernels_do_not_know_is_left_to_the_portable_form()
    {
        foreach (var format in _formats) Assert.True(PanelKernelCode256.Supports(format));
        Assert.False(PanelKernelCode256.Supports(new PanelFormat((PanelElement)99, 32, 2)));
    }

    [Fact]
    public void Every_assembled_form_has_kernels_for_every_format_it_says_it_has()
    {
        foreach (var form in KernelForms.Available)
        {
            bool isAssembled = form.ToString().StartsWith("Assembled", StringComparison.Ordinal);
            foreach (var format in _formats)
            {
                var kernels = PanelKernels.Of(form, format);
                Assert.Equal(isAssembled, kernels is not null);
                Assert.True(kernels is not { } of || PanelKernels.Has(of, format));
            }

            Assert.Null(PanelKernels.Of(form, PanelFormat.BFloat16InTiles));
        }
    }

    [Fact]
    public unsafe void Every_way_to_decode_E4M3_gives_the_same_bits()
    {
        var codes = new byte[256];
        for (int i = 0; i < 256; i++) codes[i] = (byte)(i * 37);
        byte[] each = new byte[512], quarters = new byte[512];
        fixed (byte* source = codes, first = each, second = quarters)
        {
            PanelUnpacking.DecodeEach(source, 256, first);
            if (Avx2.IsSupported) PanelUnpacking.DecodeQuarters(source, 256, second);
        }

        for (int column = 0; column < 16; column++)
        {
            for (int k = 0; k < 16; k++)
            {
                ushort value = MemoryMarshal.Cast<byte, ushort>(each)[PanelCodes.Offset(PanelElement.BFloat16, k, column) / 2];
                Assert.Equal(Float8E4M3.ToSingle(codes[PanelCodes.Offset(PanelElement.E4M3, k, column)]), BFloat16.ToSingle(value));
            }
        }

        if (Avx2.IsSupported) Assert.Equal(each, quarters);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(60)]
    public unsafe void A_weight_that_is_not_a_number_makes_its_output_so_in_every_form(int rows)
    {
        const int Outputs = 20, Inputs = 256, Column = 11;
        foreach (var form in KernelForms.Available)
        {
            using var backend = new CpuBackend(1, form);
            using var arena = new Arena(backend);
            Tensor codes = arena.Allocate(DType.F8E4M3, new Shape(Outputs, Inputs)), scales = arena.Matrix(1, 2), x = arena.Matrix(rows, Inputs), y = arena.Matrix(rows, Outputs);
            new Span<byte>(((CpuStorage)codes.Storage).Pointer + codes.ByteOffset, Outputs * Inputs).Fill(0x38);
            ((CpuStorage)codes.Storage).Pointer[codes.ByteOffset + Column * Inputs + 130] = 0xFF;
            backend.Write([1, 0.5f], scales);
            var ones = new float[rows * Inputs];
            Array.Fill(ones, 1);
            backend.Write(ones, x);
            using var packed = backend.CreatePacked(WeightFormat.Fp8, 1, Outputs, Inputs);
            backend.Fill(packed, 0, [new WeightPart(codes, scales)]);
            backend.MatMul(x, packed, y);
            var product = new float[rows * Outputs];
            backend.Read(y, product);

            // A weight of one, 128 times with a scale of 1 and as often with 1/2.
            for (int i = 0; i < product.Length; i++) Assert.Equal(i % Outputs == Column ? float.NaN : 192, product[i]);
        }
    }

    private static IEnumerable<Instruction> Instructions(Numerics.Assembly.KernelCode code)
    {
        byte[] bytes = code.ToBytes();
        var decoder = Decoder.Create(64, bytes);
        while (decoder.IP < (ulong)bytes.Length)
        {
            var instruction = decoder.Decode();
            Assert.False(instruction.IsInvalid);
            yield return instruction;
        }
    }
}
