using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Kernels;

/// <summary>Every vector form that the machine runs, held to the scalar reference, on odd sizes and strided rows.</summary>
/// <remarks>
/// The reference sums in FP64; the vector forms in FP32 over sixteen partial sums. For N terms of size 1 that costs about sqrt(N / 16) units of 6e-8, so 1e-5
/// relative with a small absolute floor bounds rows of up to a few hundred columns with room to spare.
/// </remarks>
public class VectorFormTests
{
    private const double Relative = 1e-5, Absolute = 3e-6;

    private static readonly RoutingRule _v3 = new(ScoreFunction.Sigmoid, 3, 4, 2, GroupScore.TopTwoSum, true, 2.5f);
    private static readonly RoutingRule _v2 = new(ScoreFunction.Softmax, 2, 4, 3, GroupScore.Maximum, false, 16f);

    public static TheoryData<string> Forms => Lab.Forms;

    [Theory]
    [MemberData(nameof(Forms))]
    public void Rms_norm_and_its_gradients_match_the_reference(string form) => Compare(form, lab =>
    {
        var results = new List<Tensor>();
        foreach (int columns in new[] { 1, 15, 16, 17, 48, 100 })
        {
            var x = lab.Strided(7, columns);
            var w = lab.NormalVector(columns, 0.2f, 1);
            Tensor y = lab.New(7, columns), r = lab.NewVector(7), dy = lab.Normal(7, columns), dx = lab.Normal(7, columns), dw = lab.NormalVector(columns);
            lab.Backend.RmsNorm(x, w, 1e-6f, y, r);
            lab.Backend.RmsNormBackward(x, w, r, dy, dx, accumulate: true);
            lab.Backend.RmsNormWeightBackward(x, r, dy, dw);
            results.AddRange([y, r, dx, dw]);
        }

        return results;
    });

    [Theory]
    [MemberData(nameof(Forms))]
    public void Swiglu_and_its_gradients_match_the_reference(string form) => Compare(form, lab =>
    {
        var results = new List<Tensor>();
        foreach (int width in new[] { 1, 16, 31, 64 })
        {
            var gateUp = lab.Normal(9, 2 * width, 3);
            Tensor scale = lab.NormalVector(9), y = lab.New(9, width), plain = lab.New(9, width), dy = lab.Normal(9, width);
            Tensor dGateUp = lab.New(9, 2 * width), dScale = lab.NewVector(9);
            lab.Backend.SwiGlu(gateUp, scale, y);
            lab.Backend.SwiGlu(gateUp, default, plain);
            lab.Backend.SwiGluBackward(gateUp, scale, dy, dGateUp, dScale);
            results.AddRange([y, plain, dGateUp, dScale]);
        }

        return results;
    });

    [Theory]
    [MemberData(nameof(Forms))]
    public void Cross_entropy_matches_the_reference_with_and_without_gradient(string form) => Compare(form, lab =>
    {
        var results = new List<Tensor>();
        foreach (int vocabulary in new[] { 1, 16, 33, 5000 })
        {
            var logits = lab.Normal(5, vocabulary, 4);
            var labels = lab.Integers([0, vocabulary - 1, -1, vocabulary / 2, 0]);
            Tensor loss = lab.NewVector(5), lossAlone = lab.NewVector(5);
            lab.Backend.CrossEntropy(logits, labels, 0, lossAlone, gradient: false);
            lab.Backend.CrossEntropy(logits, labels, 0.25f, loss, gradient: true);
            results.AddRange([loss, lossAlone, logits]);
        }

        return results;
    });

    [Theory]
    [MemberData(nameof(Forms))]
    public void Routing_and_its_gradient_match_the_reference(string form) => Compare(form, lab =>
    {
        var results = new List<Tensor>();
        foreach (var rule in new[] { _v3, _v2 })
        {
            const int experts = 20, tokens = 50;
            Tensor logits = lab.Normal(tokens, experts), scores = lab.New(tokens, experts), weights = lab.New(tokens, rule.TopK);
            Tensor chosen = lab.NewIntegers(tokens * rule.TopK), dWeights = lab.Normal(tokens, rule.TopK), dLogits = lab.New(tokens, experts);
            Tensor loss = lab.NewVector(2), dScores = lab.New(tokens, experts);
            lab.Backend.Route(logits, rule == _v3 ? lab.NormalVector(experts, 0.1f) : default, rule, scores, chosen, weights);
            lab.Backend.BalanceLoss(scores, tokens / 2, rule.TopK, 0.5f, loss, dScores);
            lab.Backend.RouteBackward(scores, chosen, dWeights, dScores, rule, dLogits);
            results.AddRange([scores, weights, loss, dScores, dLogits]);
        }

        return results;
    });

    [Theory]
    [MemberData(nameof(Forms))]
    public void Attention_and_its_gradients_match_the_reference(string form) => Compare(form, lab => Attend(lab, bfloat16: false), 1e-4, 1e-5);

    // Probabilities and their gradients are rounded to bfloat16, which the reference leaves out: 2^-9 of each term, and terms of a sum differ in sign.
    [Theory]
    [MemberData(nameof(Forms))]
    public void Attention_in_bfloat16_and_its_gradients_match_the_reference(string form) => Compare(form, lab => Attend(lab, bfloat16: true), 1e-2, 2e-2);

    private static Tensor[] Attend(Lab lab, bool bfloat16)
    {
        // Two segments, the second with a window; sizes that are no multiples of the block of 64.
        const int queries = 150, heads = 3, nope = 12, rope = 8, value = 20;
        int[] starts = new int[queries], ends = new int[queries];
        for (int i = 0; i < queries; i++)
        {
            starts[i] = i < 70 ? 0 : Math.Max(70, i - 30);
            ends[i] = i + 1;
        }

        Tensor q = lab.Normal(queries, heads * (nope + rope)), kv = lab.Normal(queries, heads * (nope + value)), kRope = lab.Strided(queries, rope);
        Tensor from = lab.Integers(starts), to = lab.Integers(ends), o = lab.New(queries, heads * value), lse = lab.NewVector(heads * queries);
        Tensor dOut = lab.Normal(queries, heads * value), dq = lab.New(queries, q.Columns), dkv = lab.New(queries, kv.Columns);
        Tensor dkRope = lab.New(queries, rope + 5).ColumnRange(2, rope), scratch = lab.New(heads, queries * rope);
        lab.Backend.Attention(q, kv, kRope, from, to, heads, 0.3f, o, lse, bfloat16);
        lab.Backend.AttentionBackward(q, kv, kRope, from, to, heads, 0.3f, o, lse, dOut, dq, dkv, dkRope, scratch, bfloat16);
        return [o, lse, dq, dkv, dkRope];
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Latent_attention_matches_the_reference(string form) => Compare(form, lab =>
    {
        const int heads = 11, rank = 84, rope = 8, pageTokens = 4, pages = 12;
        Tensor q = lab.Normal(3, heads * rank), qr = lab.Normal(3 * heads, rope), cache = lab.Normal(pages * pageTokens, rank + rope);
        var tables = lab.Integers([3, 1, 0, 7, 11, 5, 2, 9]).Reshape(new Shape(2, 4));
        Tensor sequences = lab.Integers([0, 1, 0]), lengths = lab.Integers([1, 16, 9]), o = lab.New(3, heads * rank);
        lab.Backend.LatentAttention(q, qr, cache, pageTokens, tables, sequences, lengths, heads, 0.1f, o);
        return [o];
    });

    [Theory]
    [MemberData(nameof(Forms))]
    public void Adamw_and_the_norm_match_the_reference(string form) => Compare(form, lab =>
    {
        const int count = 20_003;
        Tensor p = lab.NormalVector(count), g = lab.NormalVector(count), m = lab.NormalVector(count, 0.1f), v = lab.NormalVector(count, 0.01f, 1);
        Tensor norm = lab.NewVector(1);
        lab.Backend.Write([(float)lab.Backend.SumOfSquares(g)], norm);
        lab.Backend.AdamW(p, g, m, v, new AdamWStep(1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 3, 0.5f));
        return [p, m, v, norm, g];
    });

    [Theory]
    [MemberData(nameof(Forms))]
    public void Adamw_with_moments_of_bfloat16_matches_the_reference(string form) => Compare(form, lab =>
    {
        const int count = 20_003;
        Tensor p = lab.NormalVector(count), g = lab.NormalVector(count), m = lab.NormalVector(count, 0.1f), v = lab.NormalVector(count, 0.01f, 1);
        Tensor shortM = lab.Arena.Allocate(DType.BF16, m.Shape), shortV = lab.Arena.Allocate(DType.BF16, v.Shape);
        lab.Backend.Copy(m, shortM);
        lab.Backend.Copy(v, shortV);
        lab.Backend.AdamW(p, g, shortM, shortV, new AdamWStep(1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 3, 0.5f));
        lab.Backend.Copy(shortM, m);
        lab.Backend.Copy(shortV, v);
        return [p, m, v];
    });

    [Theory]
    [MemberData(nameof(Forms))]
    public void Moving_rows_matches_the_reference_exactly(string form) => Compare(form, lab =>
    {
        const int tokens = 23, chosen = 3, experts = 5, width = 37;
        Tensor x = lab.Normal(tokens, width), table = lab.Normal(experts, width), ids = lab.Integers(lab.Random(tokens, experts));
        Tensor offsets = lab.NewIntegers(experts + 1), slots = lab.NewIntegers(tokens * chosen), rows = lab.NewIntegers(tokens * chosen);
        Tensor sorted = lab.New(tokens * chosen, width), combined = lab.Normal(tokens, width), embedded = lab.New(tokens, width);
        lab.Backend.SortByExpert(lab.Integers(lab.Random(tokens * chosen, experts)), offsets, slots, rows);
        lab.Backend.GatherRows(x, slots, chosen, sorted);
        lab.Backend.CombineRows(sorted, rows, combined, accumulate: true);
        lab.Backend.Embed(table, ids, embedded);
        lab.Backend.EmbedWeightBackward(x, ids, table);
        lab.Backend.Add(x, embedded);
        return [sorted, combined, embedded, table];
    }, 0, 0);

    private static void Compare(string form, Func<Lab, IReadOnlyList<Tensor>> run, double relative = Relative, double absolute = Absolute)
    {
        using var reference = new Lab(KernelForm.Reference);
        using var one = new Lab(Enum.Parse<KernelForm>(form));
        using var three = new Lab(Enum.Parse<KernelForm>(form), threads: 3);
        IReadOnlyList<Tensor> expected = run(reference), actual = run(one), shared = run(three);
        for (int i = 0; i < expected.Count; i++)
        {
            Lab.Close(reference.Read(expected[i]), one.Read(actual[i]), relative, absolute);
            Assert.Equal(one.Read(actual[i]), three.Read(shared[i]));
        }
    }
}
