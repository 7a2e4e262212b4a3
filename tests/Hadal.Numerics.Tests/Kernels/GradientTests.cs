using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Kernels;

/// <summary>Backwards against central differences of their forwards along random directions, on odd sizes.</summary>
/// <remarks>
/// The forward's outputs are FP32, so a difference over 2·h = 0.02 carries rounding of about 1e-5 and truncation of about h² = 1e-4 of the third derivative:
/// 2e-3 of the slope's scale bounds both. The comparison with other implementations' gradients (Hadal.Golden.Tests) is a hundred times tighter.
/// </remarks>
public class GradientTests
{
    private const float H = 0.01f;
    private const double Tolerance = 2e-3;

    [Fact]
    public void Rms_norm() => Check(lab => (lab.Normal(5, 19), lab.NormalVector(19, 0.3f, 1)), (lab, x, w) =>
    {
        var y = lab.New(5, 19);
        lab.Backend.RmsNorm(x, w, 1e-6f, y);
        return y;
    }, (lab, x, w, dy) =>
    {
        Tensor y = lab.New(5, 19), r = lab.NewVector(5), dx = lab.New(5, 19), dw = lab.NewVector(19);
        lab.Backend.Clear(dw);
        lab.Backend.RmsNorm(x, w, 1e-6f, y, r);
        lab.Backend.RmsNormBackward(x, w, r, dy, dx, accumulate: false);
        lab.Backend.RmsNormWeightBackward(x, r, dy, dw);
        return (dx, dw);
    });

    [Fact]
    public void Swiglu_with_gate_weights() => Check(lab => (lab.Normal(5, 26), lab.NormalVector(5)), (lab, x, g) =>
    {
        var y = lab.New(5, 13);
        lab.Backend.SwiGlu(x, g, y);
        return y;
    }, (lab, x, g, dy) =>
    {
        Tensor dx = lab.New(5, 26), dg = lab.NewVector(5);
        lab.Backend.SwiGluBackward(x, g, dy, dx, dg);
        return (dx, dg);
    });

    [Fact]
    public void Attention_for_queries_and_keys() => Check(lab => (lab.Normal(21, 3 * 13), lab.Normal(21, 3 * 16)), (lab, q, kv) => Attend(lab, q, kv, Rope(lab)).O,
        (lab, q, kv, dy) =>
        {
            var (dq, dkv, _) = AttendBackward(lab, q, kv, Rope(lab), dy);
            return (dq, dkv);
        });

    [Fact]
    public void Attention_for_the_shared_rotary_key() => Check(lab => (lab.Normal(21, 3 * 13), lab.Normal(21, 6)), (lab, q, rope) => Attend(lab, q, Keys(lab), rope).O,
        (lab, q, rope, dy) =>
        {
            var (dq, _, dRope) = AttendBackward(lab, q, Keys(lab), rope, dy);
            return (dq, dRope);
        });

    [Theory]
    [InlineData(ScoreFunction.Sigmoid, true)]
    [InlineData(ScoreFunction.Sigmoid, false)]
    [InlineData(ScoreFunction.Softmax, true)]
    [InlineData(ScoreFunction.Softmax, false)]
    public void Routing(ScoreFunction function, bool normalize)
    {
        // A large fixed bias keeps the choice away from ties while the logits move.
        var rule = new RoutingRule(function, 3, 1, 1, GroupScore.Maximum, normalize, 1.7f);
        Check(lab => (lab.Normal(6, 10), lab.NormalVector(1)), (lab, logits, _) => Route(lab, logits).Weights, (lab, logits, other, dy) =>
        {
            var (scores, experts, _) = Route(lab, logits);
            var dLogits = lab.New(6, 10);
            lab.Backend.RouteBackward(scores, experts, dy, default, rule, dLogits);
            lab.Backend.Clear(other);
            return (dLogits, other);
        });

        (Tensor Scores, Tensor Experts, Tensor Weights) Route(Lab lab, Tensor logits)
        {
            Tensor scores = lab.New(6, 10), experts = lab.NewIntegers(18), weights = lab.New(6, 3), bias = lab.NewVector(10);
            lab.Backend.Write([9f, 0, 7, 0, 0, 0, 5, 0, 0, 0], bias);
            lab.Backend.Route(logits, bias, rule, scores, experts, weights);
            return (scores, experts, weights);
        }
    }

    // Scores far apart, so that the counted choice stays while they move.
    [Fact]
    public void Balance_loss() => CheckBalance(
        i => 0.5f + (i * 5 + i / 8 * 3) % 8, (lab, scores, loss, dScores) => lab.Backend.BalanceLoss(scores, 5, 2, 1, loss, dScores));

    // The counts are given and constant, so the loss is smooth in the scores.
    [Fact]
    public void Batch_balance_loss() => CheckBalance(
        i => 1.5f + MathF.Sin(i * 1.3f),
        (lab, scores, loss, dScores) => lab.Backend.BatchBalanceLoss(scores, 5, lab.Integers([9, 0, 3, 4, 1, 1, 0, 2]), 1, loss, dScores));

    [Fact]
    public void Cross_entropy() => Check(lab => (lab.Normal(4, 23), lab.NormalVector(1)), (lab, x, _) => Loss(lab, x, gradient: false, out var _), (lab, x, other, dy) =>
    {
        Loss(lab, x, gradient: true, out var dx);
        float[] slope = lab.Read(dy), gradient = lab.Read(dx);
        for (int i = 0; i < gradient.Length; i++) gradient[i] *= slope[i / 23];
        lab.Backend.Write(gradient, dx);
        lab.Backend.Clear(other);
        return (dx, other);
    });

    private static Tensor Loss(Lab lab, Tensor x, bool gradient, out Tensor logits)
    {
        logits = lab.New(x.Rows, x.Columns);
        lab.Backend.Copy(x, logits);
        var loss = lab.NewVector(x.Rows);
        lab.Backend.CrossEntropy(logits, lab.Integers([0, 22, -1, 7]), 1, loss, gradient);
        return loss;
    }

    private static Tensor Rope(Lab lab) => Fixed(lab, 21, 6);

    private static Tensor Keys(Lab lab) => Fixed(lab, 21, 3 * 16);

    private static Tensor Fixed(Lab lab, int rows, int columns)
    {
        var t = lab.New(rows, columns);
        lab.Backend.Write([.. Enumerable.Range(0, rows * columns).Select(i => MathF.Sin(i * 1.7f))], t);
        return t;
    }

    private static (Tensor O, Tensor LogSumExp, Tensor Starts, Tensor Ends) Attend(Lab lab, Tensor q, Tensor kv, Tensor rope)
    {
        Tensor starts = lab.Integers([.. Enumerable.Range(0, 21).Select(i => i < 9 ? 0 : 9)]), ends = lab.Integers([.. Enumerable.Range(1, 21)]);
        Tensor o = lab.New(21, 3 * 9), lse = lab.NewVector(3 * 21);
        lab.Backend.Attention(q, kv, rope, starts, ends, 3, 0.4f, o, lse);
        return (o, lse, starts, ends);
    }

    private static (Tensor DQ, Tensor DKV, Tensor DRope) AttendBackward(Lab lab, Tensor q, Tensor kv, Tensor rope, Tensor dy)
    {
        var (o, lse, starts, ends) = Attend(lab, q, kv, rope);
        Tensor dq = lab.New(21, q.Columns), dkv = lab.New(21, kv.Columns), dRope = lab.New(21, 6), scratch = lab.New(3, 21 * 6);
        lab.Backend.AttentionBackward(q, kv, rope, starts, ends, 3, 0.4f, o, lse, dy, dq, dkv, dRope, scratch);
        return (dq, dkv, dRope);
    }

    // Slope of Σ c ⊙ f(a, b) along a random direction of both inputs: by the backward, and by a central difference.
    private static void Check(
        Func<Lab, (Tensor A, Tensor B)> inputs, Func<Lab, Tensor, Tensor, Tensor> forward, Func<Lab, Tensor, Tensor, Tensor, (Tensor DA, Tensor DB)> backward)
    {
        for (int seed = 1; seed <= 5; seed++)
        {
            using var lab = new Lab(KernelForms.Current, seed: seed);
            var (a, b) = inputs(lab);
            Tensor va = lab.Normal(a.Rows, a.Columns), vb = lab.Normal(b.Rows, b.Columns), y = forward(lab, a, b), c = lab.Normal(y.Rows, y.Columns);
            var (da, db) = backward(lab, a, b, c.Reshape(y.Shape));
            double slope = Dot(lab.Read(da), lab.Read(va)) + Dot(lab.Read(db), lab.Read(vb));
            double above = At(H), below = At(-H), difference = (above - below) / (2 * H);
            double scale = Math.Max(1, Math.Abs(slope));
            Assert.True(Math.Abs(slope - difference) <= Tolerance * scale, $"seed {seed}: backward {slope}, difference {difference}");

            double At(float step) => Dot(lab.Read(forward(lab, Moved(lab, a, va, step), Moved(lab, b, vb, step))), lab.Read(c));
        }
    }

    private static Tensor Moved(Lab lab, Tensor x, Tensor direction, float step)
    {
        float[] values = lab.Read(x), v = lab.Read(direction);
        for (int i = 0; i < values.Length; i++) values[i] += step * v[i];
        var moved = lab.Arena.Allocate(DType.F32, x.Shape);
        lab.Backend.Write(values, moved);
        return moved;
    }

    // Two sequences of five tokens, eight experts.
    private static void CheckBalance(Func<int, float> score, Action<Lab, Tensor, Tensor, Tensor> run)
    {
        Check(lab => (Scores(lab), lab.NormalVector(1)), (lab, scores, _) => Loss(lab, scores, out var _), (lab, scores, other, dy) =>
        {
            Loss(lab, scores, out var dScores);
            float[] slope = lab.Read(dy), gradient = lab.Read(dScores);
            for (int i = 0; i < gradient.Length; i++) gradient[i] *= slope[i / (5 * 8)];
            lab.Backend.Write(gradient, dScores);
            lab.Backend.Clear(other);
            return (dScores, other);
        });

        Tensor Scores(Lab lab)
        {
            var scores = lab.New(10, 8);
            lab.Backend.Write([.. Enumerable.Range(0, 80).Select(score)], scores);
            return scores;
        }

        Tensor Loss(Lab lab, Tensor scores, out Tensor dScores)
        {
            var loss = lab.NewVector(2);
            dScores = lab.New(10, 8);
            run(lab, scores, loss, dScores);
            return loss;
        }
    }

    private static double Dot(float[] a, float[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += (double)a[i] * b[i];
        return sum;
    }
}
