using System.Runtime.InteropServices;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Tests.Panels;

public sealed class PanelGemmTests
{
    private static readonly PanelFormat[] _formats =
    [
        PanelFormat.BFloat16,
        PanelFormat.Float16,
        PanelFormat.ScaledBFloat16(128),
        PanelFormat.E4M3(128),
        PanelFormat.E4M3(32),
        new(PanelElement.Byte, 128, 4, 128),
        new(PanelElement.Byte, 32, 2, 128),
        new(PanelElement.Byte, 16, 4, 32),
        new(PanelElement.Byte, 32, 4, 0, true),
        new(PanelElement.Nibble, 32, 2, 8),
        new(PanelElement.Nibble, 32, 4, 0, true),
        new(PanelElement.Nibble, 128, 2, 8),
        new(PanelElement.Nibble, 32, 1, 0, true, 8),
        new(PanelElement.Nibble, 32, 1, 0, true, 8, 1),
        new(PanelElement.Nibble, 16, 1, 32, false, 16, 2),
    ];

    internal static IReadOnlyList<PanelFormat> AllFormats => _formats;

    public static TheoryData<int> Formats => [.. Enumerable.Range(0, _formats.Length)];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_form_gives_the_bits_of_the_reference(int index)
    {
        var format = _formats[index];
        using var team = new ThreadTeam(1);
        int seed = 0;
        foreach (var (m, n, k) in Sizes())
        {
            foreach (bool accumulate in new[] { false, true })
            {
                using var problem = new PanelCase(format, m, n, k, ++seed, accumulate, misalignment: seed % 5 * 3);
                float[] expected = problem.Run(KernelForm.Reference, team);
                foreach (var form in KernelForms.Available) AssertSameBits(expected, problem.Run(form, team), $"{format} {m}×{n}×{k} {form}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Threads_and_the_number_of_rows_do_not_change_a_bit(int index)
    {
        var format = _formats[index];
        using var one = new ThreadTeam(1);
        using var two = new ThreadTeam(2);
        using var four = new ThreadTeam(4);
        using var many = new PanelCase(format, 150, 272, 1300, 7);
        float[] expected = many.Run(KernelForms.Current, one);
        AssertSameBits(expected, many.Run(KernelForms.Current, two), "two threads");
        AssertSameBits(expected, many.Run(KernelForms.Current, four), "four threads");

        // The same seed draws the same panels and the same first rows.
        foreach (int m in new[] { 1, 2, 5, 13, 17, 49 })
        {
            using var few = new PanelCase(format, m, 272, 1300, 7);
            float[] some = few.Run(KernelForms.Current, two);
            for (int row = 0; row < m; row++) AssertSameBits(expected.AsSpan(row * 275, 272), some.AsSpan(row * 275, 272), $"row {row} of {m}");
        }
    }

    private static IEnumerable<(int M, int N, int K)> Sizes()
    {
        for (int m = 1; m <= 14; m++) yield return (m, 16 * (m % 5) + 1 + m, 30 * m);
        yield return (3, 257, 129);
        yield return (24, 64, 256);
        yield return (50, 72, 1200);
        yield return (97, 33, 640);
    }

    private static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        var e = MemoryMarshal.Cast<float, uint>(expected);
        var a = MemoryMarshal.Cast<float, uint>(actual);
        for (int i = 0; i < e.Length; i++)
        {
            if (e[i] != a[i]) Assert.Fail($"{what}: element {i} is {actual[i]:R}, the reference has {expected[i]:R}.");
        }
    }
}
