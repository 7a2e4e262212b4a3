using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Checkpoints;
using Hadal.Training.Model;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public sealed class StartFromTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-start-").FullName;
    private readonly CpuBackend _backend = new(1);
    private readonly List<string> _warnings = [];

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Without_momentum_four_steps_are_two_and_two_from_the_written_model_bit_for_bit()
    {
        // β₁ = β₂ = 0 and a constant rate: nothing but weights, biases and the place in the data is left over from a step.
        var optimizer = TinyRun.Run.Optimizer with { Beta1 = 0, Beta2 = 0, WarmupSteps = 0, FinalLearningRate = TinyRun.Run.Optimizer.LearningRate };
        var run = TinyRun.Run with { Steps = 4, Optimizer = optimizer };
        Train("whole", run, new TinyRun.Counting());
        Train("first", run with { Steps = 2 }, new TinyRun.Counting());
        Train("second", run with { Steps = 2, StartFrom = "../first/model", Seed = 99 }, new Later(2));
        Assert.Empty(_warnings);
        Assert.Equal(Model("whole"), Model("second"));
    }

    [Fact]
    public void A_run_that_started_from_a_model_goes_on_without_it()
    {
        Train("base", TinyRun.Run with { Steps = 2 }, new TinyRun.Counting());
        var run = TinyRun.Run with { StartFrom = "../base/model", CheckpointEvery = 2 };
        Train("whole", run, new TinyRun.Counting());
        using (var stop = new CancellationTokenSource())
        using (var part = Start("part", run, new TinyRun.Counting()))
        {
            Assert.Throws<OperationCanceledException>(() => part.Run(
                m =>
                {
                    if (m.Step == 3) stop.Cancel();
                },
                stop.Token));
        }

        Directory.Delete(Path.Combine(_folder, "base"), recursive: true);
        using (var rest = Start("part", run, new TinyRun.Counting()))
        {
            Assert.True(rest.Resume());
            rest.Run(null, CancellationToken.None);
        }

        Assert.Equal(Model("whole"), Model("part"));
    }

    [Fact]
    public void FP8_weights_are_multiplied_by_their_scales()
    {
        Train("base", TinyRun.Run with { Steps = 2 }, new TinyRun.Counting());
        string eight = Path.Combine(_folder, "eight");
        using (var model = new TrainingModel(_backend, TinyRun.Config, 24))
        {
            StartingWeights.Load(model, _backend, Path.Combine(_folder, "base", "model"), _warnings.Add);
            ModelWeights.Save(model, _backend, eight, new CheckpointOptions { Type = DType.F8E4M3 }, CancellationToken.None);
        }

        using var loaded = new TrainingModel(_backend, TinyRun.Config, 24);
        StartingWeights.Load(loaded, _backend, eight, _warnings.Add);
        using var checkpoint = Checkpoint.Open(eight);
        Assert.NotNull(checkpoint.Config.Quantization);
        foreach (var (name, value) in loaded.Parameters.Named)
        {
            float[] expected = new float[value.Weight.Count], actual = new float[value.Weight.Count];
            checkpoint.ReadSingle(name, expected);
            _backend.Read(value.Weight, actual);
            Assert.Equal(expected, actual);
        }

        foreach (var experts in loaded.ExpertLayers)
        {
            float[] bias = new float[experts.Bias.Length];
            checkpoint.ReadSingle(experts.BiasName, bias);
            Assert.Contains(bias, b => b != 0);
            Assert.Equal(bias, experts.Bias.ToArray());
        }
    }

    [Fact]
    public void A_module_that_the_folder_lacks_is_fresh_and_the_person_is_told()
    {
        var single = TinyRun.Config with { MtpLayers = 0 };
        using (var run = new TrainingRun(TinyRun.Run with { Steps = 1 }, single, Path.Combine(_folder, "base"), _backend, new TinyRun.Counting(), null, 0, [])) run.Run(null, CancellationToken.None);
        using var fresh = new Trainer(TinyRun.Run, TinyRun.Config, _backend, new TinyRun.Counting());
        using var started = new Trainer(TinyRun.Run, TinyRun.Config, _backend, new TinyRun.Counting());
        StartingWeights.Load(started.Model, _backend, Path.Combine(_folder, "base", "model"), _warnings.Add);
        Assert.Contains("no weights of MTP module 1 (layer 2)", Assert.Single(_warnings), StringComparison.Ordinal);
        foreach (var (name, value) in started.Model.Parameters.Named)
        {
            bool module = name.StartsWith("model.layers.2.", StringComparison.Ordinal), norm = value.Weight.Shape.Rank == 1;
            fresh.Model.Parameters.TryFind(name, out var other);
            if (module) Assert.Equal(Read(other.Weight), Read(value.Weight));
            else if (!norm) Assert.NotEqual(Read(other.Weight), Read(value.Weight));
        }
    }

    [Fact]
    public void Another_architecture_is_refused_by_the_name_of_the_tensor_or_setting()
    {
        Train("base", TinyRun.Run with { Steps = 1 }, new TinyRun.Counting());
        Assert.Contains("tensor model.layers.0.mlp.gate_proj.weight is [40, 32], but the model has [48, 32] there", Refusal(TinyRun.Config with { DenseWidth = 48 }), StringComparison.Ordinal);
        Assert.Contains("2 layers (num_hidden_layers), but the model of the run has 3", Refusal(TinyRun.Config with { Layers = 3 }), StringComparison.Ordinal);
        Assert.Contains("tensor model.layers.1.mlp.gate.weight is [8, 32], but the model has [16, 32] there", Refusal(TinyRun.Config with { RoutedExperts = 16 }), StringComparison.Ordinal);

        string Refusal(ModelConfig config)
        {
            using var run = new TrainingRun(TinyRun.Run with { StartFrom = "../base/model" }, config, Path.Combine(_folder, "other"), _backend, new TinyRun.Counting(), null, 0, []);
            string message = Assert.Throws<CheckpointException>(() => run.Run(null, CancellationToken.None)).Message;
            Assert.False(Directory.Exists(Path.Combine(_folder, "other")));
            return message;
        }
    }

    [Fact]
    public void Start_and_freeze_belong_to_what_a_run_computes()
    {
        string hash = TrainingRun.Hash(TinyRun.Run);
        Assert.NotEqual(hash, TrainingRun.Hash(TinyRun.Run with { StartFrom = "model" }));
        Assert.NotEqual(hash, TrainingRun.Hash(TinyRun.Run with { Freeze = ["lm_head.weight"] }));
    }

    private void Train(string name, RunConfig config, IBatchSource source)
    {
        using var run = Start(name, config, source);
        run.Run(null, CancellationToken.None);
    }

    private TrainingRun Start(string name, RunConfig config, IBatchSource source) =>
        new(config, TinyRun.Config, Path.Combine(_folder, name), _backend, source, null, 0, []) { Warned = _warnings.Add };

    private byte[] Model(string name) => File.ReadAllBytes(Path.Combine(_folder, name, "model", "model.safetensors"));

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Count];
        _backend.Read(tensor, values);
        return values;
    }

    /// <summary>The same data, some steps further on.</summary>
    private sealed class Later(int steps) : IBatchSource
    {
        public void Fill(long stepNumber, int microBatch, PackedBatch batch) => new TinyRun.Counting().Fill(stepNumber + steps, microBatch, batch);
    }
}
