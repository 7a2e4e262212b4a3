using Hadal.Model.Configuration;
using Hadal.Parallel.Schedules;
using Hadal.Planning.Clusters;
using Hadal.Planning.Models;
using Hadal.Planning.Plans;
using Hadal.Planning.Training;

namespace Hadal.Planning.Tests;

public class TrainingPlannerTests
{
    private static readonly TrainingForecast _v3 = TrainingPlanner.Forecast(PlanPresets.V3H800);

    [Fact]
    public void DeepSeek_V3_lands_on_the_published_cost()
    {
        Assert.Equal(180e3, _v3.HoursPerTrillionTokens, 0.05 * 180e3);
        Assert.Equal(2.664e6, _v3.TrainingHours, 0.05 * 2.664e6);
        Assert.Equal(5.576e6, _v3.Dollars, 0.05 * 5.576e6);
        Assert.Equal(0.033, _v3.PairExposedFraction, 0.0015);
        Assert.Equal(0.129, _v3.PairSeconds, 0.0005);
    }

    [Fact]
    public void The_parts_of_a_step_are_those_that_were_measured()
    {
        foreach (var figure in PublishedFigures.OfTraining(_v3)) Assert.True(Math.Abs(figure.Difference) < (figure.Name.StartsWith("step:", StringComparison.Ordinal) ? 0.12 : 0.05), $"{figure}");
        double[] parts = [.. PublishedFigures.OfTraining(_v3).Where(f => f.Name.StartsWith("step:", StringComparison.Ordinal)).Select(f => f.Planned)];
        Assert.Equal(_v3.StepSeconds, parts.Sum(), 1e-9);
    }

    [Fact]
    public void Operations_of_a_token_are_those_of_the_specification()
    {
        var (main, mtp) = LayerWork.TrainingOperations(new ModelConfig(), 4096);
        Assert.Equal(250.45e9, main, 0.01e9);
        Assert.Equal(260.6e9, main + mtp, 0.1e9);
        Assert.Equal(187_105_280, LayerWork.AttentionWeights(new ModelConfig()));
        Assert.Equal(44_040_192, LayerWork.ExpertWeights(new ModelConfig()));
        Assert.Equal(396_361_728, LayerWork.DenseWeights(new ModelConfig()));
    }

    [Fact]
    public void A_pair_of_four_layers_computes_as_long_as_in_the_trace()
    {
        var layer = new ChunkTimes(PlanPresets.V3H800).Experts;
        Assert.Equal(0.1243, 4 * (layer.Attention.Sum + layer.Mlp.Sum), 1e-12);
        Assert.Equal(0.1145, 4 * (layer.Dispatch + layer.Combine + layer.GradientDispatch + layer.GradientCombine), 0.001);
        Assert.Equal(0.0044, _v3.PairExposedFraction * _v3.PairSeconds, 1e-9);
    }

    [Fact]
    public void Layers_are_spread_so_that_head_and_MTP_module_count()
    {
        Assert.Equal([.. Enumerable.Repeat(4, 15), 2], _v3.StageLayers);
        var without = TrainingPlanner.Forecast(PlanPresets.V3H800 with { Model = new ModelConfig { MtpLayers = 0 } });
        Assert.Equal(61, without.StageLayers.Sum());
        Assert.True(without.StageLayers[^1] is 2 or 3);
        foreach (int ranks in (int[])[2, 4, 8, 16, 32])
        {
            foreach (string schedule in (string[])["1f1b", "dualpipe", "dualpipev"])
            {
                if (schedule == "dualpipev" && ranks == 32) continue;
                var stages = StageMap.Of(PlanPresets.V3H800 with { Layout = new TrainingLayout { Pipeline = ranks, Schedule = schedule } });
                Assert.Equal(schedule == "dualpipev" ? 2 * ranks : ranks, stages.Length);
                Assert.Equal(62, stages.Sum(s => s.Experts.Count));
                Assert.Equal(3, stages.Sum(s => s.Experts.Count(e => !e)));
                Assert.Equal((1, 2, 1), (stages.Count(s => s.Embedding), stages.Sum(s => s.Heads), stages.Sum(s => s.MtpModules)));
                Assert.True(stages[0].Embedding && stages[^1].Heads == 2);
            }
        }
    }

    [Fact]
    public void Memory_is_counted_by_part_and_fits()
    {
        Assert.True(_v3.Fits);
        Assert.Equal(16, _v3.MemoryOfRanks.Count);

        // A rank of the middle: eight layers of attention, shared expert, router and 4 of 256 experts; spec section 10 counts 409M a layer.
        double weights = 8 * (187_105_280 + 44_040_192 + 1_835_008 + 4 * 44_040_192.0);
        Assert.Equal(3 * weights, _v3.MemoryOfRanks[5].Weights, 1);
        Assert.Equal(4 * weights, _v3.MemoryOfRanks[5].Gradients, 1);
        Assert.Equal(409e6, weights / 8, 1e6);
        Assert.Equal(17 * _v3.ChunkBytes, _v3.MemoryOfRanks[5].Activations, 1);

        // Over 128 replicas in each direction 2 copies of each expert: 8 bytes over 4 devices, and over 256 for everything else.
        Assert.Equal(8 * (8 * 4 * 44_040_192.0 / 4 + 8 * (187_105_280 + 44_040_192 + 1_835_008.0) / 256), _v3.MemoryOfRanks[5].Optimizer, 1);
        Assert.Equal(_v3.Memory.Total, _v3.Memory.Parts().Sum(p => p.Bytes), 1);
    }

    [Fact]
    public void More_recomputation_takes_less_memory_and_more_time()
    {
        var none = Plan(l => l with { Recompute = Recomputation.None });
        var layers = Plan(l => l with { Recompute = Recomputation.Layers });
        Assert.True(none.Memory.Activations > 1.5 * _v3.Memory.Activations && _v3.Memory.Activations > 3 * layers.Memory.Activations);
        Assert.True(none.StepSeconds < _v3.StepSeconds && _v3.StepSeconds < layers.StepSeconds);
        Assert.False(none.Fits);
    }

    [Fact]
    public void BF16_takes_more_time_and_more_activations()
    {
        var bf16 = Plan(l => l with { Precision = TrainingPrecision.Bf16 });
        Assert.InRange(bf16.StepSeconds / _v3.StepSeconds, 1.1, 1.7);
        Assert.True(bf16.Memory.Activations > _v3.Memory.Activations && bf16.Memory.Weights < _v3.Memory.Weights);
    }

    [Fact]
    public void DualPipe_beats_ZB1P_beats_1F1B_as_in_the_report()
    {
        double dual = _v3.StepSeconds, zero = Plan(l => l with { Schedule = "zb1p" }).StepSeconds, plain = Plan(l => l with { Schedule = "1f1b" }).StepSeconds;
        Assert.True(dual < zero && zero < plain);
        Assert.Equal(0, Plan(l => l with { Schedule = "1f1b" }).PairExposedFraction);
    }

    [Fact]
    public void Faster_devices_and_networks_make_shorter_steps()
    {
        Assert.True(Cluster(c => c with { Fp8Tflops = 2 * c.Fp8Tflops }).StepSeconds < _v3.StepSeconds);
        Assert.True(Cluster(c => c with { NetworkGbPerS = 2 * c.NetworkGbPerS }).StepSeconds < _v3.StepSeconds);
        Assert.True(Cluster(c => c with { NetworkGbPerS = c.NetworkGbPerS / 4 }).PairExposedFraction > 3 * _v3.PairExposedFraction);
        Assert.Equal(3 * _v3.Dollars, Cluster(c => c with { DollarsPerDeviceHour = 6 }).Dollars, 1);
    }

    [Fact]
    public void Every_assumption_is_named_and_the_numbers_among_them_are_varied()
    {
        var assumptions = TrainingAssumptions.Of(_v3);
        Assert.All(assumptions, a => Assert.False(string.IsNullOrWhiteSpace(a.Name) || string.IsNullOrWhiteSpace(a.Value) || string.IsNullOrWhiteSpace(a.Source)));
        Assert.Contains(assumptions, a => a.Name == "hours of context extension");
        Assert.All(assumptions, a => Assert.Equal(a.Otherwise is null, a.Change is null));
        Assert.All(assumptions.Where(a => a.Otherwise == "a tenth more"), a => Assert.InRange(Math.Abs(a.Change!.Value), 1e-5, 0.05));
        Assert.Equal(10, assumptions.Count(a => a.Change is not null));

        // Nothing that is assumed rather than published, taken otherwise, moves the cost further than five percent from the published one.
        Assert.All(assumptions.Where(a => a.Change is not null && (a.Source.StartsWith("assumed", StringComparison.Ordinal) || a.Otherwise != "a tenth more")), a =>
            Assert.True(Math.Abs(_v3.HoursPerTrillionTokens * (1 + a.Change!.Value) / 180e3 - 1) < 0.05, $"{a}"));
    }

    [Theory]
    [InlineData("layout.pipeline", "layout.pipeline has to divide layout.devices")]
    [InlineData("layout.experts", "has to divide the number of experts")]
    [InlineData("layout.experts width", "layout.experts has to divide devices / pipeline")]
    [InlineData("batch_sequences", "has to be a multiple of 128")]
    [InlineData("layout.schedule", "at least 32, not 8")]
    [InlineData("stages", "61 layers cannot fill 128 stages")]
    [InlineData("layout.layers_per_stage", "has 2 numbers, but DualPipe on 16 ranks has 16 stages")]
    [InlineData("layout.layers_per_stage sum", "adds up to 48 layers, but the model has 61")]
    [InlineData("layout.schedule name", "has to be one of 1f1b, zb1p, dualpipe, dualpipev")]
    [InlineData("tokens", "tokens is 0, but has to be a number above 0")]
    [InlineData("tokens of a micro-batch", "a micro-batch of 2000000000 sequences of 4096 tokens is too large")]
    [InlineData("batch", "batch_sequences is 2000000000, but at most 16777216 are planned")]
    [InlineData("layer", "cluster.layer_milliseconds.combine_alone is -1, but has to be a number of at least 0")]
    [InlineData("core", "core_forward is part of attention_forward")]
    [InlineData("memory", "a device of pipeline rank 1 would need 72.4 GB, but has 40.0 GB; most of it, 45.7 GB, are activations")]
    public void A_plan_that_cannot_be_is_refused_with_what_would_be_right(string what, string part)
    {
        var plan = PlanPresets.V3H800;
        var layout = plan.Layout;
        plan = what switch
        {
            "layout.pipeline" => plan with { Layout = layout with { Pipeline = 24 } },
            "layout.experts" => plan with { Layout = layout with { Experts = 96 } },
            "layout.experts width" => plan with { Layout = layout with { Experts = 256 } },
            "batch_sequences" => plan with { BatchSequences = 15361 },
            "layout.schedule" => plan with { BatchSequences = 1024 },
            "stages" => plan with { Layout = layout with { Pipeline = 128, Schedule = "1f1b", Experts = 16 } },
            "layout.layers_per_stage" => plan with { Layout = layout with { LayersPerStage = [30, 31] } },
            "layout.layers_per_stage sum" => plan with { Layout = layout with { LayersPerStage = [.. Enumerable.Repeat(3, 16)] } },
            "layout.schedule name" => plan with { Layout = layout with { Schedule = "gpipe" } },
            "tokens" => plan with { Tokens = 0 },
            "tokens of a micro-batch" => plan with { Layout = layout with { SequencesPerMicroBatch = 2_000_000_000 } },
            "core" => plan with { Cluster = plan.Cluster with { LayerMilliseconds = new LayerTimes { CoreForward = 5 } } },
            "layer" => plan with { Cluster = plan.Cluster with { LayerMilliseconds = new LayerTimes { CombineAlone = -1 } } },
            "batch" => plan with { BatchSequences = 2_000_000_000 },
            _ => plan with { Cluster = plan.Cluster with { MemoryBytes = 40e9 } },
        };
        Assert.Contains(part, Assert.Throws<ConfigException>(() => TrainingPlanner.ForecastThatFits(plan)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_time_of_a_layer_is_checked()
    {
        // A plan's file can set each public property under its name in lower case.
        var properties = typeof(LayerTimes).GetProperties().Where(p => p.PropertyType == typeof(double)).Select(p => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name));
        Assert.Equal(properties.Order(), new LayerTimes().Named().Select(n => n.Name).Order());
    }

    [Fact]
    public void A_model_without_experts_can_be_planned()
    {
        var model = new ModelConfig { RoutedExperts = 0, SharedExperts = 0, ExpertsPerToken = 0, Groups = 1, KeptGroups = 1, MtpLayers = 0, Layers = 32, HiddenSize = 4096, DenseWidth = 12288, Heads = 32 };
        var forecast = TrainingPlanner.Forecast(new TrainingPlan { Model = model, Layout = new TrainingLayout { Devices = 64, Pipeline = 8, Experts = 1 }, BatchSequences = 512 });
        Assert.Equal(0, forecast.ExposedSeconds, 1e-9);
        Assert.InRange(forecast.ModelFlopsUtilization, 0.3, 1);
        Assert.True(forecast.Memory.Total > 0);
    }

    [Theory]
    [InlineData(64, 4)]
    [InlineData(16, 2)]
    [InlineData(256, 8)]
    [InlineData(8, 7)]
    [InlineData(1, 0)]
    public void A_token_moves_once_to_each_place_of_its_groups(int width, int copies)
    {
        // Over the network to nodes: at most four that hold the groups, or eight if a group lies on four; inside a node, without groups, to at most the seven other devices.
        var model = width == 8 ? new ModelConfig { Groups = 1, KeptGroups = 1 } : new ModelConfig();
        var dispatch = new ChunkTimes(PlanPresets.V3H800 with { Model = model, Layout = PlanPresets.V3H800.Layout with { Experts = width, Pipeline = 8 } }).Experts.Dispatch;
        double link = width == 8 ? 160.0 / 50 : 1;
        Assert.Equal(0.0068 * copies / 4 / link, dispatch, 1e-9);
    }

    [Fact]
    public void Longer_sequences_cost_more_in_the_core_of_attention_alone()
    {
        var (usual, longer) = (new ChunkTimes(PlanPresets.V3H800), new ChunkTimes(PlanPresets.V3H800 with { SequenceLength = 32768, BatchSequences = 15360 / 8 }));
        Assert.Equal(8 * (usual.Experts.Attention.Forward + 7 * 0.00125), longer.Experts.Attention.Forward, 1e-9);
        Assert.Equal(8 * (usual.Experts.Attention.Backward + 7 * 0.0038), longer.Experts.Attention.Backward, 1e-9);
        Assert.Equal(8 * usual.Experts.Attention.Weights, longer.Experts.Attention.Weights, 1e-9);
        Assert.Equal(8 * usual.Experts.Mlp.Sum, longer.Experts.Mlp.Sum, 1e-9);
    }

    [Fact]
    public void Whole_layers_that_are_computed_again_run_and_move_once_more()
    {
        ChunkTimes Of(Recomputation recompute, TrainingPrecision precision) => new(PlanPresets.V3H800 with { Layout = PlanPresets.V3H800.Layout with { Recompute = recompute, Precision = precision } });
        foreach (var precision in Enum.GetValues<TrainingPrecision>())
        {
            var (none, layers) = (Of(Recomputation.None, precision).Experts, Of(Recomputation.Layers, precision).Experts);
            Assert.Equal(none.Attention.Backward + none.Attention.Forward, layers.Attention.Backward, 1e-12);
            Assert.Equal(none.Mlp.Backward + none.Mlp.Forward, layers.Mlp.Backward, 1e-12);
            Assert.Equal(2 * none.BackwardMoves, layers.BackwardMoves, 1e-12);
            Assert.Equal(none.GradientDispatch + none.Dispatch + none.Combine, layers.GradientDispatch, 1e-12);
            Assert.Equal(none.Attention.Weights, layers.Attention.Weights);
        }
    }

    [Fact]
    public void One_device_needs_no_pipeline_and_moves_nothing()
    {
        var model = new ModelConfig { Layers = 4, HiddenSize = 512, VocabularySize = 4096, RoutedExperts = 16, Heads = 8, DenseLayers = 1 };
        var forecast = TrainingPlanner.Forecast(new TrainingPlan { Model = model, Layout = new TrainingLayout { Devices = 1, Pipeline = 1, Experts = 1, Schedule = "1f1b" }, BatchSequences = 4 });
        Assert.Equal(0, forecast.ExposedSeconds);
        Assert.Equal(0, forecast.Timeline.BubbleFraction, 1e-9);
        Assert.Equal(forecast.Timeline.Lanes[0].Spans.Where(s => s.Operation!.Value.Kind == OperationKind.Forward).Sum(s => s.Duration), 4 * new ChunkTimes(forecast.Plan).Forward(StageMap.Of(forecast.Plan)[0]), 1e-9);
        Assert.Equal(forecast.StepSeconds, forecast.Timeline.Duration + forecast.StepEndSeconds);
    }

    private static TrainingForecast Plan(Func<TrainingLayout, TrainingLayout> change) => TrainingPlanner.Forecast(PlanPresets.V3H800 with { Layout = change(PlanPresets.V3H800.Layout) });

    private static TrainingForecast Cluster(Func<Cluster, Cluster> change) => TrainingPlanner.Forecast(PlanPresets.V3H800 with { Cluster = change(Clusters.Cluster.H800) });
}
