using Hadal.Numerics.Formats;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Tests.Kernels;

namespace Hadal.Numerics.Tests.Precision;

/// <summary>Activations that are kept in fewer bits, against the definition of their formats.</summary>
public class KeptRowsTests
{
    private static readonly OperandCoding[] _codings =
    [
        OperandCoding.BFloat16,
        OperandCoding.Activations,
        OperandCoding.Activations with { PowerOfTwoScales = true },
        new(CodedNumber.E5M6, ScaleTile.Row, PowerOfTwoScales: true),
    ];

    public static TheoryData<int> Codings => [.. Enumerable.Range(0, _codings.Length)];

    [Theory]
    [MemberData(nameof(Codings))]
    public void Kept_rows_are_the_nearest_values_of_their_format(int index)
    {
        var coding = _codings[index];
        using var lab = new Lab(KernelForms.Current, threads: 2, seed: index + 1);
        foreach (int columns in new[] { 1, 7, 16, 129, 300 })
        {
            // Magnitudes from subnormal codes to the largest, zeros, and a row of nothing else.
            var x = lab.Strided(9, columns);
            float[] values = lab.Read(x);
            for (int i = 0; i < values.Length; i++) values[i] = i / columns == 4 ? 0 : values[i] * MathF.Pow(2, -(i * 7 % 30));
            var flat = lab.New(9, columns);
            lab.Backend.Write(values, flat);
            lab.Backend.Copy(flat, x);
            float[] found = RoundTrip(lab, x, coding);
            for (int row = 0; row < 9; row++)
            {
                for (int first = 0; first < columns; first += 128)
                {
                    var tile = values.AsSpan(row * columns + first, Math.Min(128, columns - first));
                    float amax = 1e-4f;
                    foreach (float v in tile) amax = Math.Max(amax, Math.Abs(v));
                    float scale = amax / coding.Largest;
                    if (coding.PowerOfTwoScales) scale = MathF.Pow(2, MathF.Ceiling(MathF.Log2(scale)));
                    for (int i = 0; i < tile.Length; i++)
                    {
                        float expected = coding.Number switch
                        {
                            CodedNumber.BFloat16 => BFloat16.ToSingle(BFloat16.FromSingle(tile[i])),
                            CodedNumber.E4M3 => Float8E4M3.ToSingle(Float8E4M3.FromSingle(tile[i] / scale)) * scale,
                            _ => E5M6.ToSingle(E5M6.FromSingle(tile[i] / scale)) * scale,
                        };
                        Assert.Equal(expected, found[row * columns + first + i]);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Codings))]
    public void What_has_been_kept_once_is_kept_as_it_is(int index)
    {
        // With powers of two and without scales exactly; else scales may move by a unit in the last place.
        var coding = _codings[index];
        using var lab = new Lab(KernelForms.Current);
        var x = lab.Normal(6, 260);
        float[] once = RoundTrip(lab, x, coding);
        lab.Backend.Write(once, x);
        Lab.Close(once, RoundTrip(lab, x, coding), coding.IsScaled && !coding.PowerOfTwoScales ? 2.4e-7 : 0, 0);
    }

    [Fact]
    public void E5m6_codes_are_the_nearest_of_all_4096_and_ties_go_to_even()
    {
        float[] all = [.. Enumerable.Range(0, 0x7C0).Select(c => E5M6.ToSingle((ushort)c))];
        Assert.Equal(E5M6.MaxValue, all[^1]);
        Assert.Equal(MathF.Pow(2, -20), all[1]);
        for (int c = 0; c < all.Length; c++)
        {
            Assert.Equal(c, E5M6.FromSingle(all[c]));
            Assert.Equal(c | 0x800, E5M6.FromSingle(-all[c]));
            if (c + 1 == all.Length) break;
            float middle = (all[c] + all[c + 1]) / 2;
            Assert.Equal((c + 1) & ~1, E5M6.FromSingle(middle));
            Assert.Equal(c, E5M6.FromSingle(MathF.BitDecrement(middle)));
            Assert.Equal(c + 1, E5M6.FromSingle(MathF.BitIncrement(middle)));
        }

        Assert.Equal(0x7BF, E5M6.FromSingle(float.PositiveInfinity));
        Assert.True(float.IsNaN(E5M6.ToSingle(E5M6.FromSingle(float.NaN))));
    }

    [Fact]
    public void Formats_that_rows_cannot_be_kept_in_are_refused()
    {
        Assert.Throws<ArgumentException>(() => OperandCoding.Weights.Kept(4, 4));
        using var lab = new Lab(KernelForms.Current);
        var x = lab.Normal(3, 5);
        Assert.Throws<ArgumentException>(() => lab.Backend.Encode(x, OperandCoding.BFloat16, lab.New(3, 5), default));
    }

    private static float[] RoundTrip(Lab lab, Tensor x, OperandCoding coding)
    {
        var (type, codeShape, scaleShape) = coding.Kept(x.Rows, x.Columns);
        Tensor codes = lab.Arena.Allocate(type, codeShape), scales = lab.Arena.Allocate(DType.F32, scaleShape), back = lab.New(x.Rows, x.Columns);
        lab.Backend.Encode(x, coding, codes, scales);
        lab.Backend.Decode(codes, scales, coding, back);
        return lab.Read(back);
    }
}
