using Hadal.Parallel.Simulation;
using Hadal.Planning.Clusters;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Training;

/// <summary>What a training forecast rests on, and how much each of it matters.</summary>
public static class TrainingAssumptions
{
    private const string More = "a tenth more";
    private const string Trace = "published training trace (profile-data), middle of each kernel's range";

    // Processors of an H800, and those that the trace leaves to computing.
    private const double Processors = 132, ComputeProcessors = 112;

    /// <summary>Lists them; each that can be varied costs one more forecast.</summary>
    /// <param name="forecast">The forecast.</param>
    /// <returns>In the order in which they enter.</returns>
    public static IReadOnlyList<Assumption> Of(TrainingForecast forecast)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        var (plan, cluster, t) = (forecast.Plan, forecast.Plan.Cluster, forecast.Plan.Cluster.LayerMilliseconds);
        double Larger(Func<LayerTimes, LayerTimes> change) => Change(forecast, plan with { Cluster = cluster with { LayerMilliseconds = change(t) } });
        double Faster(Func<Cluster, Cluster> change) => Change(forecast, plan with { Cluster = change(cluster) });
        string Ms(params double[] times) => string.Join(", ", times.Select(m => FormattableString.Invariant($"{m:0.##}"))) + " ms";
        var all = new List<Assumption>
        {
            new("attention: forward, backward for inputs, weights", Ms(t.AttentionForward, t.AttentionBackward, t.AttentionWeights), Trace,
                More, Larger(l => l with
                {
                    AttentionForward = 1.1 * l.AttentionForward,
                    AttentionBackward = 1.1 * l.AttentionBackward,
                    AttentionWeights = 1.1 * l.AttentionWeights,
                    CoreForward = 1.1 * l.CoreForward,
                    CoreBackward = 1.1 * l.CoreBackward,
                })),
            new("MLP: forward, backward for inputs, weights", Ms(t.MlpForward, t.MlpBackward, t.MlpWeights), Trace + "; weights: what is left of the 124.3 ms in which compute streams are busy",
                More, Larger(l => l with { MlpForward = 1.1 * l.MlpForward, MlpBackward = 1.1 * l.MlpBackward, MlpWeights = 1.1 * l.MlpWeights })),
            new("movements beside compute: dispatch, combine, of gradients", Ms(t.Dispatch, t.Combine, t.GradientDispatch, t.GradientCombine), Trace,
                More, Larger(l => l with { Dispatch = 1.1 * l.Dispatch, Combine = 1.1 * l.Combine, GradientDispatch = 1.1 * l.GradientDispatch, GradientCombine = 1.1 * l.GradientCombine })),
            new("movements alone: dispatch, combine, first of gradients", Ms(t.DispatchAlone, t.CombineAlone, t.GradientDispatchAlone), "the same trace, shortest of each kernel",
                More, Larger(l => l with { DispatchAlone = 1.1 * l.DispatchAlone, CombineAlone = 1.1 * l.CombineAlone, GradientDispatchAlone = 1.1 * l.GradientDispatchAlone })),
            new("BF16 products of the head and the MTP projection", FormattableString.Invariant($"{cluster.Bf16ReachedTflops:0} TFLOPS"), "assumed: FlashMLA's compute-bound rate, the only one published for BF16 on these devices",
                More, Faster(c => c with { Bf16ReachedTflops = 1.1 * c.Bf16ReachedTflops })),
            new("network of a device", FormattableString.Invariant($"{cluster.NetworkGbPerS:0} GB/s"), "report section 3.2.2; here for messages of the pipeline, movements of experts, gradients",
                More, Faster(c => c with { NetworkGbPerS = 1.1 * c.NetworkGbPerS })),
            new("links of a node", FormattableString.Invariant($"{cluster.NodeGbPerS:0} GB/s"), "report section 3.2.2; here for gradients", More, Faster(c => c with { NodeGbPerS = 1.1 * c.NodeGbPerS })),
            Stages(forecast),
            new("chunks that run alone", "compute as fast as in a pair", "assumed: kernels leave 20 of 132 processors to communication all the time",
                "all processors compute", Change(forecast, plan, new ForecastVariant(AloneCompute: ComputeProcessors / Processors))),
            new("messages of the pipeline", "begun and awaited together before the next operation", "the published DualPipe code; the size is a BF16 hidden state a token",
                "sends end at once", Change(forecast, plan, new ForecastVariant(MessageEnd.Buffered))),
            new("experts' load", "balanced", "as in the trace"),
            new("weights", plan.Layout.Precision == TrainingPrecision.Fp8 ? "BF16 and FP8 copies" : "BF16 copies", "assumed for memory; FP32 master weights and BF16 moments are sharded (report section 3.3.3)"),
        };
        foreach (var (name, hours) in plan.OtherHours) all.Add(new Assumption($"hours of {name}", FormattableString.Invariant($"{hours:#,0}"), "given"));
        return all;
    }

    private static Assumption Stages(TrainingForecast forecast)
    {
        var (plan, layers) = (forecast.Plan, forecast.StageLayers);
        int own = layers[^1] - plan.Model.MtpLayers;
        var (name, value) = ("layers of the stages, MTP module's included", string.Join(' ', layers));
        if (plan.Layout.LayersPerStage is not null) return new Assumption(name, value, "given");
        const string Source = "assumed: the report does not say; spread evenly, with head and MTP module counted as what they cost";
        if (layers.Count < 2 || own < 1) return new Assumption(name, value, Source);
        int[] moved = [layers[0] + 1, .. layers.Skip(1).SkipLast(1), own - 1];
        return new Assumption(name, value, Source, "a layer of the last stage in the first", Change(forecast, plan with { Layout = plan.Layout with { LayersPerStage = moved } }));
    }

    private static double Change(TrainingForecast forecast, TrainingPlan changed, ForecastVariant? variant = null) =>
        TrainingPlanner.Forecast(changed, variant ?? new ForecastVariant()).HoursPerTrillionTokens / forecast.HoursPerTrillionTokens - 1;
}
