using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Batches;
using Hadal.Training.Model;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public class RunMemoryTests
{
    [Theory]
    [InlineData("fp32", "")]
    [InlineData("bf16", "norms")]
    [InlineData("fp8", "")]
    [InlineData("fp8", "block")]
    public void What_is_planned_is_what_is_taken(string precision, string part)
    {
        var run = TinyRun.Run with { Precision = precision, Recompute = part.Length == 0 ? [] : [new RecomputeRule { Parts = [part] }] };
        var plan = RunMemory.Of(run, TinyRun.Config);
        using var backend = new CpuBackend(2);
        using var model = new TrainingModel(backend, TinyRun.Config, run.SequenceLength, Trainer.OptionsOf(run));
        var batch = new PackedBatch(run.MicroBatchSequences, run.SequenceLength);
        new TinyRun.Counting().Fill(1, 0, batch);
        model.ForwardBackward(batch, new LossScales(96, 4, 0.3f, 1e-4f), model.CreateLosses());
        Assert.Equal(model.KeptBytes, plan.Activations);
        Assert.Equal(model.TemporaryBytes, plan.Temporaries);
        Assert.Equal(model.Parameters.Count * 4, plan.Weights);
        Assert.Equal(model.Parameters.Count * (precision == "fp8" ? 4 : 8), plan.Moments);
    }

    [Fact]
    public void Recomputation_is_told_by_what_it_saves_and_checkpoints_and_averages_cost_copies()
    {
        var run = TinyRun.Run with { Recompute = [new RecomputeRule { Parts = ["block"] }] };
        var plan = RunPlan.Of(run, TinyRun.Config);
        Assert.Equal(RunPlan.Of(TinyRun.Run, TinyRun.Config).MemoryBytes, plan.MemoryBytes + plan.RecomputeSavesBytes);
        Assert.True(plan.RecomputeSavesBytes > 0);
        Assert.Equal(plan.Memory.Weights * 3, RunPlan.Of(run with { CheckpointEvery = 1 }, TinyRun.Config).MemoryBytes - plan.MemoryBytes);
        Assert.Equal(plan.Memory.Weights, RunPlan.Of(run with { EmaDecay = 0.9 }, TinyRun.Config).MemoryBytes - plan.MemoryBytes);
        Assert.Equal(plan.Memory.Weights * 5, RunPlan.Of(run with { EmaDecay = 0.9, CheckpointEvery = 1 }, TinyRun.Config).MemoryBytes - plan.MemoryBytes);
    }

    [Fact]
    public void A_model_of_any_size_is_planned_on_this_machine()
    {
        // DeepSeek-V3's shape. 684.5 billion parameters with its MTP module: 16 bytes each in FP32.
        var config = new ModelConfig
        {
            VocabularySize = 129280,
            HiddenSize = 7168,
            Layers = 61,
            MtpLayers = 1,
            Heads = 128,
            QueryLatentRank = 1536,
            LatentRank = 512,
            NopeWidth = 128,
            RopeWidth = 64,
            ValueWidth = 128,
            DenseWidth = 18432,
            ExpertWidth = 2048,
            RoutedExperts = 256,
            SharedExperts = 1,
            ExpertsPerToken = 8,
            DenseLayers = 3,
            Groups = 8,
            KeptGroups = 4,
            MaxPositions = 4096,
        };
        var plan = RunMemory.Of(TinyRun.Run with { SequenceLength = 4096, MicroBatchSequences = 1, Precision = "fp8" }, config);
        Assert.Equal(12 * 682.5e9, plan.Weights + plan.Gradients + plan.Moments, 12 * 1e9);
        Assert.True(plan.Activations > 0);
    }
}
