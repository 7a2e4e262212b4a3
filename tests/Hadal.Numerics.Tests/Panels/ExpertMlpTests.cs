using System.Runtime.InteropServices;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Panels;

/// <summary>
/// <see cref="IBackend.ExpertMlp"/> against the operations that it stands for: gather, grouped product, SwiGLU, grouped product, on one thread in the same form.
/// All comparisons are exact. Few rows go through in phases, many in pieces of rows (from 24 pieces on for four threads).
/// </summary>
public sealed class ExpertMlpTests
{
    // Odd widths: partial panels of outputs, partial blocks of inputs.
    private const int Width = 150, Inner = 40, Outputs = 70, Choices = 3;

    // Weights of the other formats come in blocks of a GGUF file only.
    public static TheoryData<WeightFormat> Formats =>
        [.. Enum.GetValues<WeightFormat>().Where(f => f is not (WeightFormat.Q50 or WeightFormat.Q6K or WeightFormat.Q5K or WeightFormat.Q4K))];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Few_rows_have_the_bits_of_the_separate_operations(WeightFormat format) => Check(format, experts: 9, tokens: 7);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Many_rows_have_the_bits_of_the_separate_operations(WeightFormat format) => Check(format, experts: 30, tokens: 190);

    [Theory]
    [MemberData(nameof(Formats))]
    public void One_row_and_experts_that_are_not_there_are_no_exception(WeightFormat format) => Check(format, experts: 5, tokens: 1);

    private static void Check(WeightFormat format, int experts, int tokens)
    {
        float[]? ofVectors = null;
        foreach (var form in KernelForms.Available.Where(f => f != KernelForm.Assembled256Plain))
        {
            float[] expected = Run(format, experts, tokens, 1, form, separately: true);
            Assert.Contains(expected, v => v != 0);
            Assert.All(expected, v => Assert.True(float.IsFinite(v)));

            // The reference has the platform's exponential in SwiGLU, all other forms have one of their own.
            if (form != KernelForm.Reference) AssertSame(ofVectors ??= expected, expected, $"{format}, {form}, separately");
            foreach (int threads in new[] { 1, 2, 4 }) AssertSame(expected, Run(format, experts, tokens, threads, form, separately: false), $"{format}, {form}, {threads} threads");
        }
    }

    private static void AssertSame(float[] expected, float[] actual, string what)
    {
        int place = MemoryMarshal.Cast<float, uint>(expected).CommonPrefixLength(MemoryMarshal.Cast<float, uint>(actual));
        Assert.True(place == expected.Length, $"{what}: element {place} differs.");
    }

    private static float[] Run(WeightFormat format, int experts, int tokens, int threads, KernelForm form, bool separately)
    {
        using var backend = new CpuBackend(threads, form);
        using var arena = new Arena(backend);
        var random = new Random(31);
        int rows = tokens * Choices;
        int[] chosen = Choose(random, experts, tokens);
        Tensor x = Values(backend, arena, random, tokens, Width, 1), gates = Values(backend, arena, random, tokens, Choices, 0.5f), y = arena.Matrix(rows, Outputs);
        Tensor choice = arena.Allocate(DType.I32, new Shape(tokens, Choices)), offsets = Integers(arena, experts + 1), slots = Integers(arena, rows), places = Integers(arena, rows);
        backend.Write(chosen, choice);
        backend.SortByExpert(choice, offsets, slots, places);
        using var gateUp = backend.CreatePacked(format, experts, 2 * Inner, Width);
        using var down = backend.CreatePacked(format, experts, Outputs, Inner);
        for (int e = 0; e < experts; e++)
        {
            Tensor first = Values(backend, arena, random, 2 * Inner, Width, 0.2f), second = Values(backend, arena, random, Outputs, Inner, 0.2f);

            // Experts that no token chose need not be in memory.
            if (!chosen.Contains(e)) continue;
            backend.Fill(gateUp, e, [new WeightPart(first)]);
            backend.Fill(down, e, [new WeightPart(second)]);
        }

        if (separately)
        {
            Tensor gathered = arena.Matrix(rows, Width), hidden = arena.Matrix(rows, 2 * Inner), inner = arena.Matrix(rows, Inner), factors = arena.Allocate(DType.F32, new Shape(rows));
            var (slotOf, gate, factor) = (new int[rows], new float[rows], new float[rows]);
            backend.Read(slots, slotOf);
            backend.Read(gates, gate);
            for (int row = 0; row < rows; row++) factor[row] = gate[slotOf[row]];
            backend.Write(factor, factors);
            backend.GatherRows(x, slots, Choices, gathered);
            backend.GroupedMatMul(gathered, offsets, gateUp, hidden);
            backend.SwiGlu(hidden, factors, inner);
            backend.GroupedMatMul(inner, offsets, down, y);
        }
        else
        {
            backend.ExpertMlp(x, slots, Choices, offsets, gateUp, down, gates, y);
        }

        var result = new float[rows * Outputs];
        backend.Read(y, result);
        return result;
    }

    /// <summary>Low experts are hit often, some never: every seventh, and in small cases most. A token's choices differ.</summary>
    private static int[] Choose(Random random, int experts, int tokens)
    {
        var chosen = new int[tokens * Choices];
        for (int i = 0; i < chosen.Length; i++)
        {
            int expert;
            do expert = (int)(experts * Math.Pow(random.NextDouble(), 2));
            while (expert % 7 == 6 || chosen.AsSpan(i / Choices * Choices, i % Choices).Contains(expert));
            chosen[i] = expert;
        }

        return chosen;
    }

    private static Tensor Integers(Arena arena, int count) => arena.Allocate(DType.I32, new Shape(count));

    private static Tensor Values(CpuBackend backend, Arena arena, Random random, int rows, int columns, float size)
    {
        var values = new float[rows * columns];
        for (int i = 0; i < values.Length; i++) values[i] = size * (2 * random.NextSingle() - 1);
        var tensor = arena.Matrix(rows, columns);
        backend.Write(values, tensor);
        return tensor;
    }
}
