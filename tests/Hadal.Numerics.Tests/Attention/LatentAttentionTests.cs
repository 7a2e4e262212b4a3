using Hadal.Numerics.Formats;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Tests.Kernels;

namespace Hadal.Numerics.Tests.Attention;

/// <summary>Absorbed attention: every form gives the same bits, close to the formula in FP64, whatever else is computed with a row.</summary>
public class LatentAttentionTests
{
    // Both groupings of heads, one and several groups, whole and ragged widths, several scales of an 8-bit row.
    private static readonly (int Heads, int Rank, int Rope)[] _shapes = [(16, 64, 16), (8, 128, 32), (5, 80, 16), (11, 84, 8), (24, 40, 8), (3, 37, 6), (4, 160, 4), (7, 290, 10), (20, 260, 12)];

    // Around the borders of a pair, a kernel's sixteen keys, a page, a block and a chunk; the last needs chunks of two blocks.
    private static readonly int[] _lengths = [1, 2, 15, 17, 64, 65, 255, 256, 257, 300, 511, 513, 700];

    public static TheoryData<DType> Types => [DType.F32, DType.BF16, DType.F8E4M3];

    [Theory]
    [MemberData(nameof(Types))]
    public void All_forms_give_the_same_bits(DType type)
    {
        foreach (var (heads, rank, rope) in _shapes)
        {
            float[]? first = null;
            foreach (var form in DistinctForms.Available)
            {
                if (form == KernelForm.Reference) continue;
                using var lab = new Lab(form, threads: form == KernelForm.Vector256 ? 3 : 1);
                float[] result = new Case(lab, type, heads, rank, rope, 64, _lengths).Run();
                first ??= result;
                Assert.Equal(first, result);
            }
        }
    }

    /// <remarks>
    /// The reference has the rounded queries and the cache's own values. FP32 differs by rounding alone. Otherwise weights (of an 8-bit row, times a scale) are rounded to
    /// bfloat16, by up to 2^-9 each, which moves a weighted mean by at most 2^-9 of the largest value: here about 5.
    /// </remarks>
    [Theory]
    [InlineData(DType.F32, 2e-5)]
    [InlineData(DType.BF16, 1e-2)]
    [InlineData(DType.F8E4M3, 1e-2)]
    public void Results_are_close_to_the_formula(DType type, double tolerance)
    {
        foreach (var (heads, rank, rope) in _shapes)
        {
            using Lab lab = new(KernelForms.Current, threads: 2), reference = new(KernelForm.Reference);
            float[] expected = new Case(reference, type, heads, rank, rope, 64, _lengths).Run();
            Lab.Close(expected, new Case(lab, type, heads, rank, rope, 64, _lengths).Run(), 2e-5, tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_row_depends_neither_on_other_rows_nor_on_threads_nor_on_pages(DType type)
    {
        using Lab one = new(KernelForms.Current), four = new(KernelForms.Current, threads: 4), small = new(KernelForms.Current);
        var (heads, rank, rope) = _shapes[0];
        var together = new Case(one, type, heads, rank, rope, 64, _lengths);
        float[] expected = together.Run();
        Assert.Equal(expected, new Case(four, type, heads, rank, rope, 64, _lengths).Run());
        Assert.Equal(expected, new Case(small, type, heads, rank, rope, 16, _lengths).Run());
        for (int row = 0; row < _lengths.Length; row++)
            Assert.Equal(expected[(row * heads * rank)..((row + 1) * heads * rank)], together.Run(row, 1));
    }

    // Few threads take several groups of heads at a time, many one each.
    [Theory]
    [MemberData(nameof(Types))]
    public void Several_groups_of_heads_give_the_same_bits_for_any_number_of_threads(DType type)
    {
        float[]? first = null;
        foreach (int threads in new[] { 1, 3, 16 })
        {
            using var lab = new Lab(KernelForms.Current, threads);
            float[] result = new Case(lab, type, 70, 260, 12, 64, [300, 513, 40]).Run();
            first ??= result;
            Assert.Equal(first, result);
        }
    }

    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F8E4M3)]
    public void Long_contexts_have_larger_chunks_with_the_same_bits_in_all_forms(DType type)
    {
        float[]? first = null;
        int[] lengths = [8193, 8192, 20_011];
        foreach (var form in DistinctForms.Available)
        {
            if (form == KernelForm.Reference) continue;
            using var lab = new Lab(form);
            float[] result = new Case(lab, type, 4, 32, 8, 64, lengths).Run();
            first ??= result;
            Assert.Equal(first, result);
        }

        // A mean over thousands of keys: the roundings of the weights average out.
        using var reference = new Lab(KernelForm.Reference);
        Lab.Close(new Case(reference, type, 4, 32, 8, 64, lengths).Run(), first!, 1e-3, 1e-3);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void What_lies_behind_a_rows_length_does_not_matter(DType type)
    {
        using Lab lab = new(KernelForms.Current), spoilt = new(KernelForms.Current);
        int[] lengths = [65, 127, 3];
        var (heads, rank, rope) = _shapes[1];
        float[] expected = new Case(lab, type, heads, rank, rope, 64, lengths, sequences: 3).Run();
        var other = new Case(spoilt, type, heads, rank, rope, 64, lengths, sequences: 3);
        other.SpoilBehindLengths();
        Assert.Equal(expected, other.Run());
    }

    [Fact]
    public void An_8_bit_row_has_codes_and_scales_as_the_report_says_and_the_rope_key_in_bfloat16()
    {
        using var lab = new Lab(KernelForms.Current);
        const int rank = 200, rope = 6;
        Assert.Equal(656, LatentFormat.Columns(DType.F8E4M3, 512, 64));
        Assert.Equal(200 + 8 + 12, LatentFormat.Columns(DType.F8E4M3, rank, rope));
        Tensor latents = lab.Normal(3, rank + rope, 2), back = lab.New(3, rank + rope);
        var rows = lab.Arena.Allocate(DType.F8E4M3, new Shape(3, LatentFormat.Columns(DType.F8E4M3, rank, rope)));
        lab.Backend.WriteLatents(latents, rank, rows);
        lab.Backend.ReadLatents(rows, rank, back);
        float[] values = lab.Read(latents), read = lab.Read(back);
        for (int r = 0; r < 3; r++)
        {
            for (int c = 0; c < rank + rope; c++)
            {
                int at = r * (rank + rope) + c;
                float expected = BFloat16.ToSingle(BFloat16.FromSingle(values[at]));
                if (c < rank)
                {
                    int start = c / 128 * 128;
                    float amax = values.Skip(r * (rank + rope) + start).Take(Math.Min(128, rank - start)).Max(Math.Abs), scale = MathF.Max(amax, 1e-4f) / 448;
                    expected = Float8E4M3.ToSingle(Float8E4M3.FromSingle(values[at] / scale)) * scale;
                }

                Assert.Equal(expected, read[at]);
            }
        }
    }

    [Fact]
    public void Attention_allocates_no_managed_memory_in_steady_state()
    {
        using var lab = new Lab(KernelForms.Current, threads: 2);
        foreach (var type in Types)
        {
            var run = new Case(lab, type.Data, 16, 64, 16, 64, [300, 40]);
            run.Attend(0, 2);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 20; i++) run.Attend(0, 2);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    // Rows with lengths of their own on a few sequences with pages scattered over the cache.
    private sealed class Case
    {
        private readonly Lab _lab;
        private readonly Tensor _q;
        private readonly Tensor _qRope;
        private readonly Tensor _cache;
        private readonly Tensor _tables;
        private readonly Tensor _o;
        private readonly int[] _lengths;
        private readonly int[] _pages;
        private readonly int _pageTokens;
        private readonly int _heads;
        private readonly int _sequenceCount;
        private Tensor? _sequences;
        private Tensor? _lengthTensor;

        public Case(Lab lab, DType type, int heads, int rank, int rope, int pageTokens, int[] lengths, int sequences = 2)
        {
            (_lab, _lengths, _pageTokens, _heads) = (lab, lengths, pageTokens, heads);
            int most = (lengths.Max() + 255) / 256 * 256 / pageTokens, pages = most * sequences, tokens = pages * pageTokens;
            _sequenceCount = sequences;
            _q = lab.Normal(lengths.Length, heads * rank, 1.5f);
            _qRope = lab.Strided((long)lengths.Length * heads, rope);
            var latents = lab.Normal(tokens, rank + rope);
            _cache = lab.Arena.Allocate(type, new Shape(tokens, LatentFormat.Columns(type, rank, rope)));

            // Page p of sequence s lies at a place that is prime to the number of pages; tokens are the same for every page size.
            int step = Enumerable.Range(7, 100).First(i => Prime(i, pages));
            _pages = [.. Enumerable.Range(0, pages).Select(p => (int)((long)p * step % pages))];
            for (int p = 0; p < pages; p++) lab.Backend.WriteLatents(latents.RowRange((long)p * pageTokens, pageTokens), rank, _cache.RowRange((long)_pages[p] * pageTokens, pageTokens));
            _tables = lab.Integers(_pages).Reshape(new Shape(sequences, most));
            _o = lab.New(lengths.Length, heads * rank);
        }

        public float[] Run() => Run(0, _lengths.Length);

        public float[] Run(int first, int count)
        {
            Attend(first, count);
            return _lab.Read(_o.RowRange(first, count));
        }

        public void Attend(int first, int count) => _lab.Backend.LatentAttention(
            _q.RowRange(first, count),
            _qRope.RowRange((long)first * _heads, (long)count * _heads),
            _cache,
            _pageTokens,
            _tables,
            Row(first, count, sequences: true),
            Row(first, count, sequences: false),
            _heads,
            0.07f,
            _o.RowRange(first, count));

        /// <summary>Sets every bit behind each row's length: NaN in every type.</summary>
        public unsafe void SpoilBehindLengths()
        {
            var memory = ((CpuStorage)_cache.Storage).Pointer + _cache.ByteOffset;
            long bytes = _cache.Columns * _cache.Type.SizeOf();
            int perSequence = _pages.Length / _sequenceCount;
            for (int s = 0; s < _lengths.Length; s++)
            {
                for (int t = _lengths[s]; t < perSequence * _pageTokens; t++)
                    new Span<byte>(memory + ((long)_pages[s * perSequence + t / _pageTokens] * _pageTokens + t % _pageTokens) * bytes, (int)bytes).Fill(0xFF);
            }
        }

        private Tensor Row(int first, int count, bool sequences) =>
            (sequences ? _sequences ??= Integers(i => i % _sequenceCount) : _lengthTensor ??= Integers(i => _lengths[i])).RowRange(first, count).Reshape(new Shape(count));

        private Tensor Integers(Func<int, int> value) => _lab.Integers([.. Enumerable.Range(0, _lengths.Length).Select(value)]).Reshape(new Shape(_lengths.Length, 1));

        private static bool Prime(int a, int b) => b == 0 ? a == 1 : Prime(b, a % b);
    }
}
