using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Model;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Precision;

public class PrecisionPolicyTests
{
    public static TheoryData<string> Coded => [.. PrecisionPolicy.All.Where(p => p != PrecisionPolicy.Full).Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Coded))]
    public void Training_learns_and_gives_the_same_losses_on_any_number_of_threads(string name)
    {
        double[] one = Losses(name, threads: 1, steps: 30), three = Losses(name, threads: 3, steps: 6);
        Assert.Equal(one[..3], three[..3]);
        Assert.NotEqual(one[0], Losses(PrecisionPolicy.Full.Name, threads: 1, steps: 1)[0]);
        Assert.True(one[^1] < 0.85 * one[0], $"{one[0]} → {one[^1]}");
    }

    [Theory]
    [InlineData("bf16", 0.01)]
    [InlineData("fp8", 0.1)]
    public void Gradients_are_those_of_fp32_but_for_rounding(string name, double bound)
    {
        // Without experts: where a token is close to a tie, rounding changes its expert, and that is no small difference.
        var config = TinyRun.Config with { DenseLayers = 3 };
        var (loss, gradients) = Gradients(PrecisionPolicy.Find(name)!, config);
        var (expectedLoss, expected) = Gradients(PrecisionPolicy.Full, config);
        Assert.Equal(expectedLoss, loss, expectedLoss * bound / 5);
        foreach (var (parameter, values) in gradients)
        {
            // Relative distance. bfloat16 rounds every operand by up to 2^-9, E4M3 by up to 2^-4; a gradient has passed up to twenty products, whose errors are independent.
            double distance = 0, size = 0;
            for (int i = 0; i < values.Length; i++)
            {
                distance += Math.Pow(values[i] - expected[parameter][i], 2);
                size += Math.Pow(expected[parameter][i], 2);
            }

            Assert.True(Math.Sqrt(distance) <= 2 * bound * Math.Sqrt(size) + 1e-9, $"{parameter}: {Math.Sqrt(distance / size)}");
        }
    }

    [Fact]
    public void Fp8_is_coarser_than_bfloat16_and_gradients_of_e5m2_coarser_still()
    {
        double Distance(string name)
        {
            var config = TinyRun.Config with { DenseLayers = 3 };
            var (_, gradients) = Gradients(PrecisionPolicy.Find(name)!, config);
            var (_, expected) = Gradients(PrecisionPolicy.Full, config);
            return gradients.Sum(g => g.Value.Zip(expected[g.Key], (a, b) => Math.Pow(a - b, 2)).Sum());
        }

        double bf16 = Distance("bf16"), fp8 = Distance("fp8"), e5m2 = Distance("fp8-e5m2-gradients");
        Assert.True(bf16 < fp8 && fp8 < e5m2, $"{bf16}, {fp8}, {e5m2}");
    }

    [Fact]
    public void Words_are_unique_and_unknown_ones_have_no_policy()
    {
        Assert.Distinct(PrecisionPolicy.All.Select(p => p.Name));
        Assert.All(PrecisionPolicy.All, p => Assert.Same(p, PrecisionPolicy.Find(p.Name)));
        Assert.Null(PrecisionPolicy.Find("fp4"));
    }

    private static double[] Losses(string precision, int threads, int steps)
    {
        var run = TinyRun.Run with { Steps = steps, Precision = precision };
        using var backend = new CpuBackend(threads);
        using var trainer = new Trainer(run, TinyRun.Config, backend, new TinyRun.Counting());
        return [.. Enumerable.Range(1, steps).Select(s => trainer.Step(s).Loss)];
    }

    private static (double Loss, Dictionary<string, float[]> Gradients) Gradients(PrecisionPolicy policy, ModelConfig config)
    {
        using var backend = new CpuBackend(2);
        using var model = new TrainingModel(backend, config, TinyRun.Run.SequenceLength, new TrainingOptions { Precision = policy });
        WeightInitializer.Initialize(backend, model.Named, 3, 0.1);
        var batch = new PackedBatch(4, TinyRun.Run.SequenceLength);
        new TinyRun.Counting().Fill(1, 0, batch);
        var losses = model.CreateLosses();
        model.ForwardBackward(batch, new LossScales(96, 4, 0.3f, 1e-4f), losses);
        return (losses.MainSum / 96, model.Parameters.Named.ToDictionary(p => p.Name, p =>
        {
            var values = new float[p.Value.Gradient.Count];
            backend.Read(p.Value.Gradient, values);
            return values;
        }));
    }
}
