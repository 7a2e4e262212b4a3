using Hadal.Model.Configuration;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Tests;

public sealed class PlanFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_left_out_is_as_in_the_preset()
    {
        var (training, serving) = PlanFile.Read(_folder.Write("plan.json", "{}"));
        Assert.Null(serving);
        Assert.Equal(PlanPresets.V3H800 with { Name = training!.Name, OtherHours = training.OtherHours }, training);
        Assert.NotNull(PlanFile.Read(_folder.Write("plan.json", """{"kind": "serving"}""")).Serving);
    }

    [Fact]
    public void Every_field_can_be_given()
    {
        _folder.Write("config.json", new ModelConfig { Layers = 8, DenseLayers = 1 }.ToJson());
        var plan = PlanFile.Read(_folder.Write("plan.json", """
            {
              // A smaller run.
              "kind": "training", "model": "config.json", "batch_sequences": 64, "sequence_length": 2048, "tokens": 1e11,
              "cluster": { "name": "b200", "memory_bytes": 180e9, "fp8_tflops": 4500, "network_gb_per_s": 100, "dollars_per_device_hour": 4, "layer_milliseconds": { "dispatch": 5 } },
              "layout": { "devices": 16, "pipeline": 4, "experts": 4, "schedule": "zb1p", "sequences_per_micro_batch": 2, "recompute": "layers", "precision": "bf16", "shard_optimizer": false, "layers_per_stage": [2, 2, 2, 2] },
              "other_hours": { "trials": 100 },
            }
            """)).Training!;
        Assert.Equal((8, 64, 2048, 1e11), (plan.Model.Layers, plan.BatchSequences, plan.SequenceLength, plan.Tokens));
        Assert.Equal(("b200", 180e9, 4500, 100, 4, 5, 8.45), (plan.Cluster.Name, plan.Cluster.MemoryBytes, plan.Cluster.Fp8Tflops, plan.Cluster.NetworkGbPerS, plan.Cluster.DollarsPerDeviceHour, plan.Cluster.LayerMilliseconds.Dispatch, plan.Cluster.LayerMilliseconds.Combine));
        Assert.Equal((16, 4, 4, "zb1p", 2, Recomputation.Layers, TrainingPrecision.Bf16, false), (plan.Layout.Devices, plan.Layout.Pipeline, plan.Layout.Experts, plan.Layout.Schedule, plan.Layout.SequencesPerMicroBatch, plan.Layout.Recompute, plan.Layout.Precision, plan.Layout.ShardOptimizer));
        Assert.Equal([2, 2, 2, 2], plan.Layout.LayersPerStage!);
        Assert.Equal(100, plan.OtherHours["trials"]);
        Assert.Equal(8, plan.MicroBatches);
        Training.TrainingPlanner.Forecast(plan);
    }

    [Theory]
    [InlineData("[]", "a plan is a JSON object")]
    [InlineData("{", "cannot be understood")]
    [InlineData("""{"kind": "cooking"}""", "has to be training or serving")]
    [InlineData("""{"model": "missing.json"}""", "model has to be a config.json or deepseek-v3")]
    [InlineData("""{"model": 3}""", "has to be a text")]
    [InlineData("""{"cluster": "a100"}""", "has to be h800 or an object")]
    [InlineData("""{"batch": 3}""", "batch")]
    [InlineData("""{"layout": {"devices": "many"}}""", "layout.devices")]
    [InlineData("""{"layout": {"recompute": "all"}}""", "layout.recompute")]
    [InlineData("""{"layout": null}""", "layout")]
    [InlineData("""{"cluster": {"speed": 3}}""", "speed")]
    [InlineData("""{"tokens": 1, "tokens": 2, "kind": "training"}""", "a name twice")]
    public void A_file_that_is_no_plan_is_refused_with_the_field(string text, string part)
    {
        string path = _folder.Write("plan.json", text);
        var e = Assert.Throws<ConfigException>(() => PlanFile.Read(path));
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_plans_are_read_or_refused_but_never_crash()
    {
        const string Text = """{"kind":"training","batch_sequences":64,"cluster":{"memory_bytes":1e9,"name":"x"},"layout":{"devices":16,"pipeline":4,"experts":4,"layers_per_stage":[20,20,20,1]},"other_hours":{"a":1}}""";
        const string Signs = "0123456789{}[],:\"-e. tn\0é\u2028";
        var random = new Random(9);
        for (int i = 0; i < 400; i++)
        {
            char[] changed = Text.ToCharArray();
            for (int k = random.Next(1, 4); k > 0; k--) changed[random.Next(changed.Length)] = Signs[random.Next(Signs.Length)];
            string path = _folder.Write("plan.json", new string(changed));
            try
            {
                var plan = PlanFile.Read(path);
                if (plan.Training is { } training) TrainingPlanRules.Check(training);
            }
            catch (ConfigException e)
            {
                Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
            }
        }
    }
}
