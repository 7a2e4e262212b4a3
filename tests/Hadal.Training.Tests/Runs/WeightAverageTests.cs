using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public sealed class WeightAverageTests : IDisposable
{
    private static readonly RunConfig _run = TinyRun.Run with { EmaDecay = 0.7, CheckpointEvery = 2 };
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-ema-").FullName;
    private readonly CpuBackend _backend = new(2);

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void The_average_is_the_formula_step_by_step_bit_for_bit()
    {
        using var run = Start("run", _run);
        var expected = Weights(run);
        run.Run(
            _ =>
            {
                foreach (var (name, weights) in Weights(run))
                {
                    for (int i = 0; i < weights.Length; i++) expected[name][i] += (float)(1 - 0.7) * (weights[i] - expected[name][i]);
                }
            },
            CancellationToken.None);
        using var written = Checkpoint.Open(Path.Combine(_folder, "run", "model-ema"));
        foreach (var (name, values) in expected)
        {
            float[] actual = new float[values.Length];
            written.ReadSingle(name, actual);
            Assert.True(values.AsSpan().SequenceEqual(actual), name);
        }
    }

    [Fact]
    public void An_average_changes_nothing_of_the_run_and_a_run_without_one_writes_none()
    {
        Train("with", _run);
        Train("without", _run with { EmaDecay = 0 });
        Assert.Equal(Model("without", "model"), Model("with", "model"));
        Assert.NotEqual(Model("with", "model"), Model("with", "model-ema"));
        Assert.False(Directory.Exists(Path.Combine(_folder, "without", "model-ema")));
        Assert.False(File.Exists(Path.Combine(_folder, "without", "checkpoints", "step-00000004", "ema.safetensors")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_stopped_run_goes_on_to_the_same_average(int at)
    {
        Train("whole", _run);
        using (var stop = new CancellationTokenSource())
        using (var run = Start("stopped", _run))
        {
            Assert.Throws<OperationCanceledException>(() => run.Run(
                m =>
                {
                    if (m.Step == at) stop.Cancel();
                },
                stop.Token));
        }

        using (var run = Start("stopped", _run))
        {
            Assert.True(run.Resume());
            run.Run(null, CancellationToken.None);
        }

        Assert.Equal(Model("whole", "model-ema"), Model("stopped", "model-ema"));
    }

    [Fact]
    public void The_average_of_a_run_that_starts_from_a_model_begins_with_that_model()
    {
        Train("base", TinyRun.Run);
        Train("next", _run with { StartFrom = "../base/model", Steps = 1, Optimizer = _run.Optimizer with { LearningRate = 1e-30, FinalLearningRate = 0 }, BiasUpdateRate = 0 });
        Assert.Equal(Model("base", "model"), Model("next", "model-ema"));
    }

    private void Train(string name, RunConfig config)
    {
        using var run = Start(name, config);
        run.Run(null, CancellationToken.None);
    }

    private TrainingRun Start(string name, RunConfig config) =>
        new(config, TinyRun.Config, Path.Combine(_folder, name), _backend, new TinyRun.Counting(), null, 0, []);

    private byte[] Model(string name, string kind) => File.ReadAllBytes(Path.Combine(_folder, name, kind, "model.safetensors"));

    private Dictionary<string, float[]> Weights(TrainingRun run)
    {
        var all = new Dictionary<string, float[]>();
        foreach (var (name, value) in run.Model.Parameters.Named)
        {
            all.Add(name, new float[value.Weight.Count]);
            _backend.Read(value.Weight, all[name]);
        }

        foreach (var experts in run.Model.ExpertLayers) all.Add(experts.BiasName, experts.Bias.ToArray());
        return all;
    }
}
