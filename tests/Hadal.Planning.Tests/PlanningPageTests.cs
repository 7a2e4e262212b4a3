using System.Globalization;
using System.Text.RegularExpressions;
using Hadal.Model.Configuration;
using Hadal.Parallel.Schedules;
using Hadal.Planning.Plans;
using Hadal.Planning.Search;
using Hadal.Planning.Serving;
using Hadal.Planning.Training;

namespace Hadal.Planning.Tests;

/// <summary>What docs/design/planning.md says is what the planner computes.</summary>
public class PlanningPageTests
{
    private static readonly string _page = File.ReadAllText(Path.Combine(GoldenData.Root, "docs", "design", "planning.md"));
    private static readonly TrainingForecast _v3 = TrainingPlanner.Forecast(PlanPresets.V3H800);

    [Fact]
    public void Its_tables_hold_the_published_and_the_planned_figures()
    {
        var figures = PublishedFigures.OfTraining(_v3).Concat(PublishedFigures.OfServing(ServingPlanner.Forecast(PlanPresets.V3Serving)));
        string[] rows = [.. figures.Select(f => string.Create(CultureInfo.InvariantCulture,
            $"| {f.Name} | {f.Unit} | {f.Planned:G4} | {f.Published:G4} | {(f.Difference >= 0 ? "+" : "−")}{Math.Abs(f.Difference) * 100:0.0} % | {f.Source} |"))];
        Assert.Equal(18, rows.Length);
        Assert.All(rows, row => Assert.Contains(row, _page, StringComparison.Ordinal));
    }

    [Fact]
    public void Its_sentences_hold_the_figures_on_the_way()
    {
        var times = new ChunkTimes(PlanPresets.V3H800);
        var stage = new StageContent([true, true, true, true], false, 0, 0);
        var end = new StageContent([true], false, 2, 1);
        double layer = times.Compute(new StageContent([true], false, 0, 0));
        var memory = _v3.MemoryOfRanks[5];
        string[] sentences =
        [
            Text($"{times.Forward(stage) * 1e3:0}, {(times.Backward(stage) + times.Weights(stage)) * 1e3:0} and {times.Weights(stage) * 1e3:0.0} ms for four layers"),
            Text($"{_v3.PairExposedFraction * _v3.PairSeconds * 1e3:0.0} ms of {_v3.PairSeconds * 1e3:0.0}, where the trace has 4.2 of 129.0"),
            Text($"add up to {4e3 * (times.Experts.Dispatch + times.Experts.Combine + times.Experts.GradientDispatch + times.Experts.GradientCombine):0.0} ms in four layers"),
            Text($"about as much as {times.Compute(end) / layer:0.0} layers"),
            Text($"{2.0 * 4096 * 7168 / 1e6:0.0} MB through a port"),
            Text($"{memory.Gradients / 4 / 1e9:0.0} billion weights and needs {memory.Total / 1e9:0.0} GB of 80: {memory.Weights / 1e9:0.0} for weights, {memory.Gradients / 1e9:0.0} for gradients, {memory.Optimizer / 1e9:0.0} for the optimizer, {memory.Activations / 1e9:0.0} for 17 chunks, {memory.Temporary / 1e9:0.0} temporary"),
            Text($"{_v3.OperationsPerToken / 1e9:0.0} · 10⁹ operations a token"),
            Text($"| weight gradients | {times.Experts.Attention.Weights * 1e3:0.0} | {times.Experts.Mlp.Weights * 1e3:0.000} |"),
        ];
        double At(int length) => new ChunkTimes(PlanPresets.V3H800 with { SequenceLength = length }).Compute(new StageContent([true], false, 0, 0)) / (length / 4096) / layer;
        var steady = _v3.Timeline.CriticalPath.Where(p => p.Lane == 15).Select(p => _v3.Timeline.Lanes[15].Spans[p.Span]).ToArray();
        sentences =
        [
            Text($"{steady.Count(s => s.Operation!.Value.Kind == OperationKind.ForwardAndBackward)} pairs there, {steady.Sum(s => s.Duration):0.0} of {_v3.Timeline.Duration:0.0} s"),
            .. sentences,
            Text($"{At(32768):0.0} and {At(131072):0.0} times as long at 32K and 128K"),
            Text($"some {2000.0 * 62_914_560e-12 * _v3.HoursPerTrillionTokens * (At(32768) + At(131072)) / 2 / 1e3:0}K hours at the efficiency"),
        ];
        string page = Regex.Replace(_page, "\\s+", " ");
        Assert.All(sentences, sentence => Assert.Contains(sentence, page, StringComparison.Ordinal));
    }

    [Fact]
    public void Of_the_layouts_the_published_one_is_the_second_and_all_others_are_a_tenth_slower()
    {
        var best = LayoutSearch.Propose(PlanPresets.V3H800, 3, TestContext.Current.CancellationToken).Best;
        Assert.True(best[0].Plan.Layout is { Schedule: "dualpipev", Pipeline: 8, Experts: 64 });
        Assert.True(best[1].Plan.Layout is { Schedule: "dualpipe", Pipeline: 16, Experts: 64, Recompute: Recomputation.UpProjections });
        Assert.Equal(_v3.StepSeconds, best[1].StepSeconds, 1e-9);
        Assert.InRange(best[1].StepSeconds / best[0].StepSeconds, 1, 1.001);
        Assert.True(best[2].StepSeconds > 1.1 * _v3.StepSeconds);
    }

    [Fact]
    public void DeepSeek_V2_is_forecast_as_it_says()
    {
        var model = new ModelConfig
        {
            ModelType = "deepseek_v2",
            VocabularySize = 102400,
            HiddenSize = 5120,
            Layers = 60,
            MtpLayers = 0,
            DenseWidth = 12288,
            DenseLayers = 1,
            ExpertWidth = 1536,
            RoutedExperts = 160,
            SharedExperts = 2,
            ExpertsPerToken = 6,
            Groups = 8,
            KeptGroups = 3,
        };
        double Hours(int devices) => TrainingPlanner.ForecastThatFits(new TrainingPlan
        {
            Model = model,
            Layout = new TrainingLayout { Devices = devices, Pipeline = 16, Experts = 8, Schedule = "zb1p", Precision = TrainingPrecision.Bf16 },
            BatchSequences = 9216,
        }).HoursPerTrillionTokens / 1e3;
        Assert.Contains(Text($"{Hours(512):0}K, {Hours(1024):0}K and {Hours(2048):0}K on 512, 1,024 and 2,048 devices"), Regex.Replace(_page, "\\s+", " "), StringComparison.Ordinal);
        Assert.Equal(172.8, Hours(1024), 0.15 * 172.8);
    }

    [Fact]
    public void Its_plan_is_the_preset()
    {
        string json = Regex.Match(_page, "```json\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
        using var folder = new TemporaryFolder();
        folder.Write("config.json", new ModelConfig().ToJson());
        var plan = PlanFile.Read(folder.Write("plan.json", json)).Training!;
        Assert.Equal(_v3.Dollars, TrainingPlanner.Forecast(plan).Dollars, 1e-3);
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
