using Hadal.Numerics.Formats;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Kernels;

/// <summary>Rows of an embedding table in the form in which a file has it. All comparisons are exact.</summary>
public class EmbeddingTests
{
    private const int Rows = 9, Width = 512;
    private static readonly int[] _ids = [3, 8, 0, 3, 5];

    public static TheoryData<BlockFormat> Formats => [.. BlockFormats.All];

    [Theory]
    [MemberData(nameof(Formats))]
    public unsafe void Rows_in_blocks_are_decoded_as_they_are_looked_up(BlockFormat format)
    {
        using var lab = new Lab(KernelForms.Current, threads: 2);
        int rowBytes = (int)format.BytesFor(Width);
        using var arena = new Arena(lab.Backend);
        var table = arena.Allocate(DType.U8, new Shape(Rows, rowBytes));
        var bytes = new Span<byte>(((CpuStorage)table.Storage).Pointer + table.ByteOffset, Rows * rowBytes);
        var expected = new float[Rows * Width];
        var random = new Random(4);
        for (int row = 0; row < Rows; row++)
        {
            float[] values = [.. Enumerable.Range(0, Width).Select(_ => random.NextSingle() - 0.5f)];
            format.Encode(values, bytes.Slice(row * rowBytes, rowBytes));
            format.Decode(bytes.Slice(row * rowBytes, rowBytes), expected.AsSpan(row * Width, Width));
        }

        var y = lab.New(_ids.Length, Width);
        lab.Backend.Embed(table, lab.Integers(_ids), y, format);
        Assert.Equal(_ids.SelectMany(id => expected.AsSpan(id * Width, Width).ToArray()), lab.Read(y));
        var narrow = lab.New(_ids.Length, Width - 32);
        Assert.Throws<ArgumentException>(() => lab.Backend.Embed(table, lab.Integers(_ids), narrow, format));
    }

    [Fact]
    public unsafe void Half_precision_rows_are_widened()
    {
        using var lab = new Lab(KernelForms.Current);
        using var arena = new Arena(lab.Backend);
        var table = arena.Allocate(DType.F16, new Shape(Rows, 37));
        var values = new Span<Half>(((CpuStorage)table.Storage).Pointer + table.ByteOffset, Rows * 37);
        for (int i = 0; i < values.Length; i++) values[i] = (Half)(i * 0.37f - 50);
        float[] expected = [.. values.ToArray().Select(v => (float)v)];
        var y = lab.New(_ids.Length, 37);
        lab.Backend.Embed(table, lab.Integers(_ids), y);
        Assert.Equal(_ids.SelectMany(id => expected.AsSpan(id * 37, 37).ToArray()), lab.Read(y));
    }
}
