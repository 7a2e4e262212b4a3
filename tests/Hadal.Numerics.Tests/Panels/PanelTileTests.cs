using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Tests.Assembly;
using Hadal.Numerics.Threading;
using Iced.Intel;

namespace Hadal.Numerics.Tests.Panels;

/// <summary>Kernels on tiles in the interpreter, which <see cref="MachineTests"/> compares with the processor; and who may use them. Comparisons are of bits.</summary>
public sealed unsafe class PanelTileTests
{
    private static readonly PanelFormat[] _formats =
    [
        new(PanelElement.Byte, 128, 4, 128),
        new(PanelElement.Byte, 32, 2, 128),
        new(PanelElement.Byte, 16, 4, 32),
        new(PanelElement.Byte, 32, 4, 0, true),
        new(PanelElement.Nibble, 32, 2, 8),
        new(PanelElement.Nibble, 32, 4, 0, true),
        new(PanelElement.Nibble, 32, 1, 0, true, SuperBlock: 8, HighBits: 1),
        new(PanelElement.Nibble, 16, 1, 32, false, SuperBlock: 16, HighBits: 2),
        PanelFormat.BFloat16InTiles,
    ];

    public static TheoryData<int> Formats => [.. Enumerable.Range(0, _formats.Length)];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_product_on_tiles_has_the_bits_of_the_reference(int index)
    {
        var format = _formats[index];
        Assert.True(PanelGemm.HasTileKernels(format));
        using var team = new ThreadTeam(1);
        int seed = 0;

        // One and two tiles of rows, full and not; one and two panels, the last one partly used; several kernels, blocks of k and groups of columns.
        foreach (var (m, n, k) in new[] { (16, 16, 128), (17, 33, 60), (35, 41, 290), (32, 32, 256), (70, 20, 1100), (16, 270, 150), (1, 20, 100), (5, 50, 64) })
        {
            using var problem = new PanelCase(format, m, n, k, ++seed, accumulate: seed % 2 == 0, misalignment: seed % 5 * 3);
            float[] expected = problem.Run(KernelForm.Reference, team);
            InterpretedTiles.Operands = problem;
            InterpretedTiles.Steps.Clear();
            float[] actual = problem.Run(p => PanelGemm.RunOnTiles<InterpretedTiles>(p));
            Assert.Equal(MemoryMarshal.Cast<float, uint>(expected), MemoryMarshal.Cast<float, uint>(actual));
            Assert.True(InterpretedTiles.Steps[format.HasByteActivations ? Mnemonic.Tdpbsud : Mnemonic.Tdpbf16ps] >= (m + 31) / 32 * (n / 16));
        }
    }

    [Fact]
    public void Formats_whose_sums_tiles_do_not_make_are_left_to_other_kernels()
    {
        Assert.False(PanelGemm.HasTileKernels(PanelFormat.BFloat16));
        Assert.False(PanelGemm.HasTileKernels(PanelFormat.E4M3(128)));
        Assert.False(PanelGemm.HasTileKernels(new PanelFormat(PanelElement.Byte, 48, 4)));
    }

    [Fact]
    public void The_trial_product_tells_right_tiles_from_wrong_ones()
    {
        InterpretedTiles.Operands = null;
        foreach (var format in new[] { new PanelFormat(PanelElement.Byte, 128, sizeof(float), 128), PanelFormat.BFloat16InTiles })
        {
            Assert.Null(PanelTiles.Try<InterpretedTiles>(format));
            Assert.Contains("other bits", PanelTiles.Try<WrongTiles>(format), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_every_permission_no_later_check_runs()
    {
        var processor = new TileProcessor(HasByteTiles: true, HasBFloat16Tiles: true, HasXgetbv: true, Tiles: 8, RowBytes: 64, Rows: 16);
        const ulong saved = 0x600E7, without = 0x200E7;
        Assert.Contains("no AMX-INT8", TileFeatures.Check(processor with { HasByteTiles = false }, true, Never<ulong>, Never<int>), StringComparison.Ordinal);
        Assert.Contains("smaller", TileFeatures.Check(processor with { Rows = 8 }, true, Never<ulong>, Never<int>), StringComparison.Ordinal);
        Assert.Contains("Linux", TileFeatures.Check(processor, false, Never<ulong>, Never<int>), StringComparison.Ordinal);
        Assert.Contains("does not save", TileFeatures.Check(processor with { HasXgetbv = false }, true, Never<ulong>, Never<int>), StringComparison.Ordinal);
        Assert.Contains("does not save tiles", TileFeatures.Check(processor, true, () => without, Never<int>), StringComparison.Ordinal);
        Assert.Contains("does not grant tiles (error 1)", TileFeatures.Check(processor, true, () => saved, () => 1), StringComparison.Ordinal);
        Assert.Null(TileFeatures.Check(processor, true, () => saved, () => 0));

        static T Never<T>() => throw new InvalidOperationException("This check should not have been reached.");
    }

    [Fact]
    public void Kernels_on_tiles_are_used_only_where_the_system_grants_tiles()
    {
        if (TileFeatures.ByteRefusal is not null) Assert.NotNull(PanelTiles.Refusal);
        if (TileFeatures.BFloat16Refusal is not null) Assert.NotNull(PanelTiles.BFloat16Refusal);
        Assert.Equal(PanelTiles.Refusal is null, KernelChoice.Current().Assembled.Contains("AMX-INT8"));
    }

    [Fact]
    public void A_name_decides_whether_tiles_are_used()
    {
        Assert.SkipUnless(KernelForms.Available.Contains(KernelForm.Assembled512), "Tiles go with the assembled form on 512-bit registers.");
        Assert.Equal((KernelForm.Assembled512, TileUse.Bytes), KernelForms.ChooseWithTiles(null, Never));
        Assert.Equal((KernelForm.Assembled512, TileUse.None), KernelForms.ChooseWithTiles("assembled512", Never));
        Assert.Equal((KernelForm.Assembled512, TileUse.All), KernelForms.ChooseWithTiles("Assembled512+Tiles", () => null));
        Assert.Contains("no AMX-BF16", Assert.Throws<PlatformNotSupportedException>(() => KernelForms.ChooseWithTiles("assembled512+tiles", () => "the processor has no AMX-BF16")).Message, StringComparison.Ordinal);

        // Who asks for nothing does not make the process ask the system.
        static string? Never() => throw new InvalidOperationException("This check should not have been reached.");
    }

    /// <summary>The other contract of bfloat16: sums in the order of tiles depend on neither the other rows nor threads, like all sums here.</summary>
    [Fact]
    public void Bfloat16_in_the_order_of_tiles_has_the_same_bits_alone_and_with_other_rows()
    {
        using var many = new PanelCase(PanelFormat.BFloat16InTiles, 40, 48, 200, 3);
        using var one = new PanelCase(PanelFormat.BFloat16InTiles, 1, 48, 200, 3);
        InterpretedTiles.Operands = many;
        float[] expected = many.Run(p => PanelGemm.RunOnTiles<InterpretedTiles>(p));
        InterpretedTiles.Operands = one;
        Assert.Equal(expected[..48], one.Run(p => PanelGemm.RunOnTiles<InterpretedTiles>(p))[..48]);

        // Not those of the other instruction, or there would be no need for a contract.
        Assert.NotEqual(expected, many.Run(p =>
        {
            p.Blocks *= p.Format.Block / PanelFormat.BFloat16.Block;
            p.Format = PanelFormat.BFloat16;
            PanelGemm.RunAlone(p, KernelForm.Reference);
        }));
    }

    /// <summary>Runs kernels in the interpreter; memory that is neither the operands' nor the kernels' own is an error if the operands are known.</summary>
    private readonly struct InterpretedTiles : ITileKernel
    {
        [ThreadStatic]
        public static PanelCase? Operands;

        public static Dictionary<Mnemonic, int> Steps { get; } = [];

        public static void Run(in PanelFormat format, int rows, int panels, PanelCall* call)
        {
            var machine = new Machine();
            var code = new PanelTileCode(format, rows, panels);
            byte[] bytes = code.ToBytes();
            if (Operands is { } operands)
            {
                operands.Allow(machine.Memory);
                var scratch = PanelScratch.Current;
                machine.Memory.Allow(scratch.Right, PanelScratch.RightBytes + PanelScratch.CornerLength * sizeof(float) + PanelTileCode.SumBytes);
                machine.Memory.Allow(call, sizeof(PanelCall));
                machine.Memory.Allow(code.Configuration, PanelTileCode.ConfigBytes);
                for (int row = 0; row < rows; row++) machine.Memory.Allow((byte*)call->C + row * call->CStride, panels * 64);
            }
            else
            {
                machine.Memory.Allow((void*)4096, long.MaxValue - 4096);
            }

            machine.Run(bytes, call);
            foreach (var (mnemonic, count) in machine.Steps) Steps[mnemonic] = Steps.GetValueOrDefault(mnemonic) + count;
        }
    }

    /// <summary>As <see cref="InterpretedTiles"/>, one bit of one element changed.</summary>
    private readonly struct WrongTiles : ITileKernel
    {
        public static void Run(in PanelFormat format, int rows, int panels, PanelCall* call)
        {
            InterpretedTiles.Run(format, rows, panels, call);
            *(uint*)(call->C + 3) ^= 1;
        }
    }
}
