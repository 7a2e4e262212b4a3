using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Balance;
using Hadal.Training.Batches;
using Hadal.Training.Model;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Activations;

/// <summary>Computing activations again instead of keeping them changes memory, not numbers.</summary>
public class RecomputationTests
{
    public static TheoryData<string, string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (string precision in new[] { "fp32", "bf16", "fp8" })
            {
                foreach (string parts in new[] { "norms", "latent_up", "swiglu", "norms,latent_up,swiglu", "block" }) data.Add(precision, parts, "all");
                data.Add(precision, "block", "1-2");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Losses_gradients_and_loads_are_the_same_bits(string precision, string parts, string layers)
    {
        var rule = new RecomputeRule { Parts = parts.Split(','), Layers = layers };
        foreach (string balance in new[] { "bias", "batch_loss" })
        {
            foreach (int? queryRank in new int?[] { 12, null })
            {
                var config = TinyRun.Config with { QueryLatentRank = queryRank };
                var expected = Step(config, precision, balance, []);
                var found = Step(config, precision, balance, [rule]);
                Assert.Equal(expected.Losses, found.Losses);
                Assert.Equal(expected.Loads, found.Loads);
                foreach (var (name, gradient) in expected.Gradients) Assert.Equal(gradient, found.Gradients[name]);
            }
        }
    }

    [Fact]
    public void A_whole_run_is_the_same_and_may_change_what_it_recomputes_between_sittings()
    {
        double[] Losses(IReadOnlyList<RecomputeRule> rules)
        {
            var run = TinyRun.Run with { Recompute = rules };
            using var backend = new CpuBackend(2);
            using var trainer = new Trainer(run, TinyRun.Config, backend, new TinyRun.Counting());
            return [.. Enumerable.Range(1, run.Steps).Select(s => trainer.Step(s).Loss)];
        }

        RecomputeRule[] rules = [new() { Parts = ["block"], Layers = "0" }, new() { Parts = ["norms", "swiglu"], Layers = "1-2" }];
        Assert.Equal(Losses([]), Losses(rules));
        Assert.Equal(TrainingRun.Hash(TinyRun.Run), TrainingRun.Hash(TinyRun.Run with { Recompute = rules }));
    }

    [Theory]
    [InlineData("fp32", "norms")]
    [InlineData("fp32", "latent_up")]
    [InlineData("fp32", "swiglu")]
    [InlineData("fp8", "norms")]
    [InlineData("fp8", "latent_up")]
    [InlineData("bf16", "block")]
    public void Less_memory_is_kept(string precision, string part)
    {
        // Of all parts a layer's input alone takes the least.
        long all = Step(TinyRun.Config, precision, "bias", []).KeptBytes, less = Step(TinyRun.Config, precision, "bias", [new() { Parts = [part] }]).KeptBytes;
        long least = Step(TinyRun.Config, precision, "bias", [new() { Parts = ["block"] }]).KeptBytes;
        Assert.True(less < all, $"{less} of {all}");
        Assert.True(least <= less, $"{least}, {less}");
    }

    [Fact]
    public void Coded_forms_keep_less_than_fp32()
    {
        long Kept(string precision) => Step(TinyRun.Config, precision, "bias", []).KeptBytes;
        Assert.True(Kept("fp8") < Kept("bf16") && Kept("bf16") < Kept("fp32"));
    }

    [Theory]
    [InlineData("parts", "", "all", "parts has to name")]
    [InlineData("parts", "norm", "all", "\"norm\"")]
    [InlineData("layers", "norms", "1-", "numbers and ranges")]
    [InlineData("layers", "norms", "3", "layers 0 to 2")]
    [InlineData("layers", "norms", "2-1", "layers 0 to 2")]
    public void A_rule_that_cannot_be_is_refused_with_what_would_be_right(string what, string parts, string layers, string expected)
    {
        Assert.NotEmpty(what);
        var rule = new RecomputeRule { Parts = parts.Split(',', StringSplitOptions.RemoveEmptyEntries), Layers = layers };
        using var backend = new CpuBackend(1);
        var error = Assert.Throws<ConfigException>(() => new TrainingModel(backend, TinyRun.Config, 24, new TrainingOptions { Recompute = [rule] }));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static (double[] Losses, long[][] Loads, Dictionary<string, float[]> Gradients, long KeptBytes) Step(ModelConfig config, string precision, string balance, RecomputeRule[] rules)
    {
        using var backend = new CpuBackend(2);
        using var model = new TrainingModel(backend, config, TinyRun.Run.SequenceLength, new TrainingOptions { Precision = PrecisionPolicy.Find(precision)!, Recompute = rules });
        WeightInitializer.Initialize(backend, model.Named, 3, 0.1);
        foreach (var experts in model.ExpertLayers)
        {
            experts.Balance(backend, BalancePolicy.Find(balance)!);
            experts.BeginStep();
        }

        var batch = new PackedBatch(4, TinyRun.Run.SequenceLength);
        var losses = model.CreateLosses();
        for (int m = 0; m < 2; m++)
        {
            new TinyRun.Counting().Fill(1, m, batch);
            model.ForwardBackward(batch, new LossScales(192, 8, 0.3f, 1e-2f), losses);
        }

        return ([losses.MainSum, .. losses.MtpSums, .. losses.BalanceSums], [.. model.ExpertLayers.Select(e => e.Load.ToArray())], model.Parameters.Named.ToDictionary(p => p.Name, p =>
        {
            var values = new float[p.Value.Gradient.Count];
            backend.Read(p.Value.Gradient, values);
            return values;
        }), model.KeptBytes);
    }
}
