using Hadal.Numerics.Kernels;
using Hadal.Numerics.Tests.Kernels;

namespace Hadal.Numerics.Tests.Attention;

/// <summary>Prompt attention in bfloat16: every form gives the same bits, close to the formula, however a prompt is cut and whoever computes it.</summary>
public class PromptAttentionTests
{
    // Whole and ragged widths; heads that start within a panel of weights; more columns than unpacked weights have room for.
    private static readonly Shapes[] _shapes =
    [
        new(2, 32, 16, 32, 64), new(3, 24, 8, 16, 48), new(5, 20, 6, 12, 37), new(2, 7, 3, 5, 20), new(1, 128, 64, 128, 96), new(2, 150, 10, 120, 40), new(4, 16, 0, 40, 32),
    ];

    public static TheoryData<WeightFormat> Formats => [WeightFormat.BF16, WeightFormat.Fp8, WeightFormat.EightBit, WeightFormat.FourBit];

    [Theory]
    [MemberData(nameof(Formats))]
    public void All_forms_give_the_same_bits(WeightFormat format)
    {
        foreach (var shape in _shapes)
        {
            float[]? first = null;
            foreach (var form in KernelForms.Available)
            {
                if (form == KernelForm.Reference) continue;
                using var lab = new Lab(form, threads: form == KernelForm.Vector256 ? 3 : 1);
                float[] result = new Case(lab, format, shape, 300).Run();
                first ??= result;
                Assert.Equal(first, result);
            }
        }
    }

    /// <remarks>The reference has queries, keys and values as they were rounded. Weights are rounded to bfloat16, by up to 2^-9 each, which moves a weighted mean by at most 2^-9
    /// of the largest value: here about 4.</remarks>
    [Fact]
    public void Results_are_close_to_the_formula()
    {
        foreach (var shape in _shapes)
        {
            using Lab lab = new(KernelForms.Current, threads: 2), reference = new(KernelForm.Reference);
            Lab.Close(new Case(reference, WeightFormat.BF16, shape, 60).Run(), new Case(lab, WeightFormat.BF16, shape, 60).Run(), 2e-5, 8e-3);
        }
    }

    /// <remarks>
    /// FP32 attention on the same product. A rounding to bfloat16 is up to 2^-9. Scores have a deviation of about 1.4 here and are sums of products with two rounded factors
    /// each, whose errors average out: about 2^-9. Values and weights are rounded likewise. In all an error of a few 2^-9 of values of deviation 1: 0.03 at most.
    /// </remarks>
    [Fact]
    public void Results_are_close_to_attention_in_FP32()
    {
        foreach (var shape in _shapes)
        {
            using var lab = new Lab(KernelForms.Current, threads: 2);
            var run = new Case(lab, WeightFormat.BF16, shape, 520);
            Lab.Close(run.RunSingle(), run.Run(), 0, 0.03);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(257)]
    public void A_prompt_may_be_cut_anywhere(int piece)
    {
        using Lab one = new(KernelForms.Current), four = new(KernelForms.Current, threads: 4);
        Case whole = new(one, WeightFormat.BF16, _shapes[1], 600), cut = new(four, WeightFormat.BF16, _shapes[1], 600);
        float[] expected = whole.Run();
        Assert.Equal(expected, cut.Run(piece));
    }

    [Fact]
    public void The_number_of_threads_changes_nothing()
    {
        float[]? first = null;
        foreach (int threads in new[] { 1, 2, 5, 16 })
        {
            using var lab = new Lab(KernelForms.Current, threads);
            float[] result = new Case(lab, WeightFormat.Fp8, _shapes[2], 700).Run();
            first ??= result;
            Assert.Equal(first, result);
        }
    }

    [Fact]
    public void All_lengths_from_0_to_257_agree_with_the_portable_form_wherever_the_rows_start()
    {
        using Lab lab = new(KernelForms.Current), portable = new(KernelForm.Vector128);
        var shape = _shapes[2];
        Case run = new(lab, WeightFormat.BF16, shape, 257, gap: 1), same = new(portable, WeightFormat.BF16, shape, 257, gap: 3);
        float[] expected = run.Run();
        for (int length = 0; length <= 257; length = length < 70 || length > 250 ? length + 1 : length + 13)
        {
            // Of a prompt's end a few queries, of different number and start.
            int count = Math.Min(length, 1 + length % 15);
            float[] part = run.Run(length - count, length, count + 1);
            Assert.Equal(expected[((length - count) * shape.Heads * shape.Value)..(length * shape.Heads * shape.Value)], part);
            if (length % 5 == 0) Assert.Equal(part, same.Run(length - count, length, count + 1));
        }
    }

    [Fact]
    public void What_lies_behind_a_querys_keys_does_not_matter()
    {
        using Lab lab = new(KernelForms.Current), spoilt = new(KernelForms.Current);
        Case run = new(lab, WeightFormat.BF16, _shapes[0], 270), other = new(spoilt, WeightFormat.BF16, _shapes[0], 270);
        float[] expected = run.Run(0, 200, 200);
        other.Spoil(200);
        Assert.Equal(expected, other.Run(0, 200, 200));
    }

    [Fact]
    public void A_query_that_sees_the_same_key_again_and_again_gives_its_value()
    {
        using var lab = new Lab(KernelForms.Current);
        var run = new Case(lab, WeightFormat.BF16, _shapes[0], 512);
        run.RepeatFirstToken();
        float[] result = run.Run();
        int width = _shapes[0].Heads * _shapes[0].Value;
        // The value itself is rounded to bfloat16; the weights are all 1.
        for (int i = 0; i < result.Length; i++) Assert.Equal(result[i % width], result[i], Math.Abs(result[i % width]) * 1e-6f);
    }

    [Fact]
    public void Attention_allocates_no_managed_memory_in_steady_state()
    {
        using var lab = new Lab(KernelForms.Current, threads: 2);
        var run = new Case(lab, WeightFormat.BF16, _shapes[0], 300);
        run.Attend(0, 300, 300);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++) run.Attend(0, 300, 300);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Wrong_operands_are_refused()
    {
        using var lab = new Lab(KernelForms.Current);
        var run = new Case(lab, WeightFormat.BF16, _shapes[0], 8);
        Assert.Throws<ArgumentException>(() => new Case(lab, WeightFormat.F32, _shapes[0], 8).Run());
        Assert.Throws<ArgumentException>(() => run.Attend(0, 8, 8, keys: 7));
        Assert.Throws<ArgumentException>(() => run.Attend(0, 8, 8, firstEnd: -1));
    }

    private readonly record struct Shapes(int Heads, int Nope, int Rope, int Value, int Rank);

    private sealed class Case
    {
        private const float Scale = 0.2f;
        private readonly Lab _lab;
        private readonly Shapes _shape;
        private readonly Tensor _q;
        private readonly Tensor _latents;
        private readonly Tensor _o;
        private readonly Tensor _ends;
        private readonly PackedWeights _up;
        private readonly int _tokens;

        public Case(Lab lab, WeightFormat format, Shapes shape, int tokens, int gap = 1)
        {
            (_lab, _shape, _tokens) = (lab, shape, tokens);
            var (heads, nope, rope, value, rank) = shape;
            float deviation = MathF.Sqrt(50f / (nope + rope));
            var weights = lab.Normal((long)heads * (nope + value), rank, 1 / MathF.Sqrt(rank));
            _q = Gapped(lab.Normal(tokens, (long)heads * (nope + rope), deviation), gap);
            _latents = Gapped(lab.Normal(tokens, rank + rope), gap);
            _o = lab.New(tokens, heads * value + gap).ColumnRange(gap, (long)heads * value);
            _ends = lab.Integers([.. Enumerable.Range(0, tokens + 1)]).Reshape(new Shape(tokens + 1, 1));
            _up = lab.Backend.CreatePacked(format, 1, heads * (nope + value), rank);
            lab.Backend.Fill(_up, 0, [new WeightPart(weights)]);
        }

        public float[] Run() => Run(0, _tokens, _tokens);

        public float[] Run(int piece) => Run(0, _tokens, piece);

        // Tokens first … end - 1, a piece at a time.
        public float[] Run(int first, int end, int piece)
        {
            for (int start = first; start < end; start += piece) Attend(start, Math.Min(piece, end - start), Math.Min(end, start + piece));
            return end == first ? [] : _lab.Read(_o.RowRange(first, end - first));
        }

        public void Attend(int first, int count, int end, int keys = 0, int firstEnd = 1) => _lab.Backend.PromptAttention(
            _q.RowRange(first, count),
            _latents.RowRange(0, keys == 0 ? end : keys),
            _up,
            firstEnd < 0 ? _lab.Integers(new int[count]) : _ends.RowRange(first + firstEnd, count),
            _shape.Heads,
            Scale,
            _o.RowRange(first, count));

        public float[] RunSingle()
        {
            var (heads, nope, rope, value, rank) = _shape;
            Tensor kv = _lab.New(_tokens, (long)heads * (nope + value)), o = _lab.New(_tokens, (long)heads * value);
            _lab.Backend.MatMul(_latents.ColumnRange(0, rank), _up, kv);
            _lab.Backend.Attention(
                _q, kv, _latents.ColumnRange(rank, rope), _lab.Integers(new int[_tokens]), _ends.RowRange(1, _tokens).Reshape(new Shape(_tokens)), heads, Scale, o);
            return _lab.Read(o);
        }

        public void Spoil(int first)
        {
            var values = new float[_latents.Columns * (_tokens - first)];
            values.AsSpan().Fill(float.NaN);
            var nan = _lab.New(_tokens - first, _latents.Columns);
            _lab.Backend.Write(values, nan);
            _lab.Backend.Copy(nan, _latents.RowRange(first, _tokens - first));
        }

        public void RepeatFirstToken()
        {
            for (int t = 1; t < _tokens; t++) _lab.Backend.Copy(_latents.RowRange(0, 1), _latents.RowRange(t, 1));
        }

        private Tensor Gapped(Tensor values, int gap)
        {
            var copy = _lab.New(values.Rows, values.Columns + gap).ColumnRange(gap, values.Columns);
            _lab.Backend.Copy(values, copy);
            return copy;
        }
    }
}
