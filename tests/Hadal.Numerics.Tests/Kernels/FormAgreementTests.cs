using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Kernels;

/// <summary>Contracts that go beyond closeness: what must be equal bit for bit.</summary>
public class FormAgreementTests
{
    [Fact]
    public void All_vector_widths_give_the_same_bits()
    {
        float[]? first = null;
        foreach (var row in Lab.Forms)
        {
            using var lab = new Lab(Enum.Parse<KernelForm>(row.Data), threads: 2);
            Tensor x = lab.Normal(9, 70, 2), w = lab.NormalVector(70), y = lab.New(9, 70), activated = lab.New(9, 35), loss = lab.NewVector(9);
            lab.Backend.RmsNorm(x, w, 1e-6f, y);
            lab.Backend.SwiGlu(y, default, activated);
            lab.Backend.CrossEntropy(activated, lab.Integers(lab.Random(9, 35)), 1, loss, gradient: true);
            float[] result = [.. lab.Read(y), .. lab.Read(activated), .. lab.Read(loss)];
            first ??= result;
            Assert.Equal(first, result);
        }
    }

    [Fact]
    public void The_largest_of_a_row_is_the_first_of_equals_in_every_form()
    {
        foreach (var form in Lab.Forms.Select(f => Enum.Parse<KernelForm>(f.Data)).Append(KernelForm.Reference))
        {
            using var lab = new Lab(form, threads: 2);
            foreach (int columns in new[] { 1, 2, 15, 16, 17, 33, 5000 })
            {
                // Few different values, so that rows have ties.
                var x = lab.Strided(40, columns);
                float[] values = Array.ConvertAll(lab.Read(x), v => MathF.Round(v * 2));
                for (int i = 0; i < values.Length; i++) values[i] = values[i] >= 2 ? 0f * -values[i] : values[i] == 1 ? -1 : values[i];
                for (int c = 0; c < columns; c++) (values[c], values[columns + c]) = (float.NegativeInfinity, c % 3 == 0 ? float.PositiveInfinity : 5);
                var rows = lab.New(40, columns);
                lab.Backend.Write(values, rows);
                lab.Backend.Copy(rows, x);
                var indices = lab.NewIntegers(40);
                lab.Backend.ArgMax(x, indices);
                int[] actual = new int[40];
                lab.Backend.Read(indices, actual);
                Assert.Equal(Enumerable.Range(0, 40).Select(r => FirstLargest(values.AsSpan(r * columns, columns))), actual);
            }
        }

        static int FirstLargest(ReadOnlySpan<float> row)
        {
            int best = 0;
            for (int i = 0; i < row.Length; i++) best = row[i] > row[best] ? i : best;
            return best;
        }
    }

    [Fact]
    public void Attention_in_bfloat16_gives_the_same_bits_in_every_form_and_wherever_a_segment_lies()
    {
        // A document of 300 tokens, alone and behind another one of 45; tiles are of 96 keys and 128 queries.
        const int tokens = 300, before = 45, heads = 2, nope = 24, rope = 8, value = 40;
        float[]? first = null;
        foreach (var row in Lab.Forms)
        {
            using var lab = new Lab(Enum.Parse<KernelForm>(row.Data), threads: 2);
            Tensor q = lab.Normal(before + tokens, heads * (nope + rope)), kv = lab.Normal(before + tokens, heads * (nope + value)), kRope = lab.Normal(before + tokens, rope);
            var dOut = lab.Normal(before + tokens, heads * value);
            float[] alone = Run(lab, before), behind = Run(lab, 0);
            Assert.Equal(alone, behind);
            first ??= alone;
            Assert.Equal(first, alone);

            float[] Run(Lab lab, int from)
            {
                int rows = before + tokens - from;
                Tensor starts = lab.Integers([.. Enumerable.Range(0, rows).Select(i => i + from < before ? 0 : before - from)]), ends = lab.Integers([.. Enumerable.Range(1, rows)]);
                Tensor o = lab.New(rows, heads * value), lse = lab.NewVector(heads * rows), dq = lab.New(rows, q.Columns), dkv = lab.New(rows, kv.Columns), dRope = lab.New(rows, rope);
                Tensor qs = q.RowRange(from, rows), kvs = kv.RowRange(from, rows), rs = kRope.RowRange(from, rows);
                lab.Backend.Attention(qs, kvs, rs, starts, ends, heads, 0.2f, o, lse, bfloat16: true);
                lab.Backend.AttentionBackward(
                    qs, kvs, rs, starts, ends, heads, 0.2f, o, lse, dOut.RowRange(from, rows), dq, dkv, dRope, lab.New(heads, rows * rope), bfloat16: true);
                return [.. new[] { o, dq, dkv, dRope }.SelectMany(t => lab.Read(t.RowRange(before - from, tokens)))];
            }
        }
    }

    [Fact]
    public void Attention_of_a_query_does_not_depend_on_how_the_prompt_is_cut()
    {
        using var lab = new Lab(KernelForms.Current, threads: 2);
        const int keys = 200, heads = 2, nope = 16, rope = 8, value = 16;
        Tensor q = lab.Normal(keys, heads * (nope + rope)), kv = lab.Normal(keys, heads * (nope + value)), kRope = lab.Normal(keys, rope);
        var whole = lab.New(keys, heads * value);
        Run(0, keys, whole);
        foreach (int chunk in new[] { 1, 7, 64, 150 })
        {
            var cut = lab.New(keys, heads * value);
            for (int first = 0; first < keys; first += chunk) Run(first, Math.Min(chunk, keys - first), cut.RowRange(first, Math.Min(chunk, keys - first)));
            Assert.Equal(lab.Read(whole), lab.Read(cut));
        }

        void Run(int first, int count, Tensor o)
        {
            var ends = Enumerable.Range(first + 1, count).ToArray();
            lab.Backend.Attention(
                q.RowRange(first, count), kv.RowRange(0, first + count), kRope.RowRange(0, first + count), lab.Integers(new int[count]), lab.Integers(ends), heads,
                0.2f, o);
        }
    }

    [Fact]
    public void Latent_attention_of_a_row_does_not_depend_on_the_other_rows()
    {
        using var lab = new Lab(KernelForms.Current, threads: 2);
        const int heads = 4, rank = 64, rope = 16;
        Tensor q = lab.Normal(3, heads * rank), qr = lab.Normal(3 * heads, rope), cache = lab.Normal(8 * 64, rank + rope);
        var tables = lab.Integers([0, 1, 2, 3, 4, 5, 6, 7]).Reshape(new Shape(2, 4));
        Tensor together = lab.New(3, heads * rank), alone = lab.New(1, heads * rank);
        lab.Backend.LatentAttention(q, qr, cache, 64, tables, lab.Integers([0, 1, 1]), lab.Integers([200, 130, 131]), heads, 0.1f, together);
        lab.Backend.LatentAttention(q.RowRange(1, 1), qr.RowRange(heads, heads), cache, 64, tables, lab.Integers([1]), lab.Integers([130]), heads, 0.1f, alone);
        Assert.Equal(lab.Read(together.RowRange(1, 1)), lab.Read(alone));
    }

    [Fact]
    public void Rotation_turns_back()
    {
        using var lab = new Lab(KernelForms.Current);
        Tensor x = lab.Normal(6, 8), cos = lab.New(4, 4), sin = lab.New(4, 4);
        float[] before = lab.Read(x), angles = [.. Enumerable.Range(0, 16).Select(i => i * 0.37f)];
        lab.Backend.Write(Array.ConvertAll(angles, MathF.Cos), cos);
        lab.Backend.Write(Array.ConvertAll(angles, MathF.Sin), sin);
        var positions = lab.Integers([3, 0, 2]);
        lab.Backend.Rotate(x, 2, positions, cos, sin);
        float[] turned = lab.Read(x);
        Assert.Equal(before[0] * MathF.Cos(12 * 0.37f) - before[1] * MathF.Sin(12 * 0.37f), turned[0], 1e-6f);
        lab.Backend.Rotate(x, 2, positions, cos, sin, inverse: true);
        Lab.Close(before, lab.Read(x), 1e-6, 1e-6);
    }

    [Fact]
    public void Exponential_is_right_to_two_units_in_the_last_place()
    {
        using var lab = new Lab(KernelForms.Current);
        float[] inputs = [.. Enumerable.Range(0, 4000).Select(i => (i - 2000) * 0.043f), -1000, float.NegativeInfinity, 0, -0f, 1e-20f, float.NaN];
        var x = lab.New(inputs.Length, 1);
        lab.Backend.Write([.. inputs], x);

        // sigmoid shows e^x: with gate = x and up = 1, silu(x) / x = 1 / (1 + e^-x).
        var gateUp = lab.New(inputs.Length, 2);
        lab.Backend.Write([.. inputs.SelectMany(v => new[] { v, 1f })], gateUp);
        var y = lab.New(inputs.Length, 1);
        lab.Backend.SwiGlu(gateUp, default, y);
        float[] actual = lab.Read(y);
        for (int i = 0; i < 4000; i++)
        {
            double expected = inputs[i] / (1 + Math.Exp(-(double)inputs[i]));
            Assert.True(Math.Abs(expected - actual[i]) <= 4e-7 * Math.Abs(expected) + 1e-36, $"silu({inputs[i]}): {expected} expected, {actual[i]} found");
        }

        Assert.True(float.IsNaN(actual[^1]));
    }

    [Fact]
    public void Wrong_shapes_types_and_indices_are_refused_by_name()
    {
        using var lab = new Lab(KernelForms.Current);
        Tensor x = lab.Normal(2, 3), w = lab.NormalVector(4);
        Assert.Contains("RmsNorm", Assert.Throws<ArgumentException>(() => lab.Backend.RmsNorm(x, w, 0, x)).Message, StringComparison.Ordinal);
        Assert.Contains("inner sizes", Assert.Throws<ArgumentException>(() => lab.Backend.MatMul(x, false, x, false, x)).Message, StringComparison.Ordinal);
        Assert.Contains("index 9", Assert.Throws<ArgumentException>(() => lab.Backend.Embed(x, lab.Integers([9]), lab.New(1, 3))).Message, StringComparison.Ordinal);
        Assert.Contains("label 3", Assert.Throws<ArgumentException>(() => lab.Backend.CrossEntropy(x, lab.Integers([0, 3]), 1, lab.NewVector(2), true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Operations_allocate_no_managed_memory_in_steady_state()
    {
        using var lab = new Lab(KernelForms.Current, threads: 2);
        Tensor x = lab.Normal(64, 32), w = lab.NormalVector(32), y = lab.New(64, 32), square = lab.Normal(32, 32);
        Step();
        Step();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++) Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Step()
        {
            lab.Backend.RmsNorm(x, w, 1e-6f, y);
            lab.Backend.MatMul(x, false, square, true, y);
            lab.Backend.Add(x, y);
            lab.Backend.SumOfSquares(w);
        }
    }
}
