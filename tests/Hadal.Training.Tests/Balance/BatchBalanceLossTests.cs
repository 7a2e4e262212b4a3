using Hadal.Numerics;
using Hadal.Training.Balance;
using Hadal.Training.Layers;
using Hadal.Training.Precision;

namespace Hadal.Training.Tests.Balance;

public sealed class BatchBalanceLossTests : IDisposable
{
    private const int Sequences = 3, Length = 7, Rows = Sequences * Length, Experts = 6, Chosen = 2;
    private readonly CpuBackend _backend = new(2);
    private readonly Arena _arena;

    public BatchBalanceLossTests() => _arena = new Arena(_backend);

    public void Dispose()
    {
        _arena.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public void Loss_and_gradient_are_the_formula_over_the_whole_batch()
    {
        using var balance = new BatchBalanceLoss(_backend, Experts);
        double[] scores = Scores(1);
        var (loss, gradient) = Run(balance, scores, scale: 0.3f / Sequences);
        var (expectedLoss, expectedGradient) = Formula(Counts(scores), scores);

        // FP32 against FP64: a few units in the last place of sums of at most 21 terms.
        Assert.Equal(expectedLoss, loss.Average(), 1e-6);
        for (int i = 0; i < gradient.Length; i++) Assert.Equal(0.3 * expectedGradient[i], gradient[i], 1e-7);
    }

    [Fact]
    public void Later_micro_batches_count_the_earlier_ones_until_the_next_step()
    {
        using var balance = new BatchBalanceLoss(_backend, Experts);
        double[] first = Scores(1), second = Scores(2);
        Run(balance, first, 1);
        var (loss, gradient) = Run(balance, second, 1f / Sequences);
        var (expectedLoss, expectedGradient) = Formula([.. Counts(first).Zip(Counts(second), (a, b) => a + b)], second);
        Assert.Equal(expectedLoss, loss.Average(), 1e-6);
        for (int i = 0; i < gradient.Length; i++) Assert.Equal(expectedGradient[i], gradient[i], 1e-7);

        balance.BeginStep();
        Assert.Equal(Formula(Counts(second), second).Loss, Run(balance, second, 1).Loss.Average(), 1e-6);
    }

    [Fact]
    public void An_evaluation_leaves_the_counts_of_the_step_alone()
    {
        using var balance = new BatchBalanceLoss(_backend, Experts);
        double[] scores = Scores(1);
        Run(balance, Scores(2), 1, evaluation: true);
        Assert.Equal(Formula(Counts(scores), scores).Loss, Run(balance, scores, 1).Loss.Average(), 1e-6);
    }

    [Fact]
    public void A_batch_of_one_sided_sequences_that_is_even_as_a_whole_costs_less_than_by_sequences()
    {
        // Sequence b likes experts 2b and 2b + 1 alone: the worst for every sequence, perfect for the batch.
        double[] scores = new double[Rows * Experts];
        for (int i = 0; i < scores.Length; i++) scores[i] = i % Experts / 2 == i / Experts / Length ? 0.9 : 0.1;
        using IBalanceLoss batch = new BatchBalanceLoss(_backend, Experts), sequence = new SequenceBalanceLoss();
        Assert.Equal(1, Run(batch, scores, 1).Loss.Average(), 1e-6);

        // f = 3 on two experts with P = 0.9 / 2.2 each.
        Assert.Equal(3 * 1.8 / 2.2, Run(sequence, scores, 1).Loss.Average(), 1e-6);
    }

    private (float[] Loss, float[] Gradient) Run(IBalanceLoss balance, double[] values, float scale, bool evaluation = false)
    {
        var c = new MicroBatchContext
        {
            Backend = _backend,
            Arena = _arena,
            Scratch = _arena,
            Precision = PrecisionPolicy.Full,
            Cos = default,
            Sin = default,
            SequenceLength = Length,
            BalanceScale = scale,
            CountsLoad = !evaluation,
        };
        Tensor scores = c.Matrix(Rows, Experts), dScores = c.Matrix(Rows, Experts), loss = c.Vector(Sequences);
        _backend.Write(Array.ConvertAll(values, v => (float)v), scores);
        balance.Run(c, scores, Chosen, loss, dScores);
        float[] losses = new float[Sequences], gradient = new float[Rows * Experts];
        _backend.Read(loss, losses);
        _backend.Read(dScores, gradient);
        return (losses, gradient);
    }

    private static double[] Scores(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Rows * Experts).Select(_ => (double)(float)(0.05 + 0.9 * random.NextDouble()))];
    }

    private static long[] Counts(double[] scores)
    {
        long[] counts = new long[Experts];
        for (int t = 0; t < Rows; t++)
        {
            foreach (int e in Enumerable.Range(0, Experts).OrderByDescending(e => scores[t * Experts + e]).Take(Chosen)) counts[e]++;
        }

        return counts;
    }

    // L = Σ f·P with P_e = 1/T·Σ_t s_te/S_t; dL/ds_te = 1/(T·S_t)·(f_e - Σ_j f_j·s_tj/S_t).
    private static (double Loss, double[] Gradient) Formula(long[] counts, double[] scores)
    {
        double[] gradient = new double[scores.Length];
        double loss = 0;
        for (int t = 0; t < Rows; t++)
        {
            double sum = 0, weighted = 0;
            for (int e = 0; e < Experts; e++)
            {
                sum += scores[t * Experts + e];
                weighted += F(e) * scores[t * Experts + e];
            }

            loss += weighted / sum / Rows;
            for (int e = 0; e < Experts; e++) gradient[t * Experts + e] = (F(e) - weighted / sum) / (Rows * sum);
        }

        return (loss, gradient);

        double F(int e) => (double)counts[e] * Experts / counts.Sum();
    }
}
