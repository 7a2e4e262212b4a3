using Hadal.Model.Configuration;
using Hadal.Parallel.Schedules;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Training;

/// <summary>Which layers lie in which stage. The report does not say; layers are spread evenly, and the last stage gets fewer because of head and MTP modules.</summary>
internal static class StageMap
{
    /// <summary>The stages of a plan that keeps the rules.</summary>
    public static StageContent[] Of(TrainingPlan plan)
    {
        var model = plan.Model;
        var layers = plan.Layout.LayersPerStage ?? Spread(plan);
        var stages = new StageContent[layers.Count];
        int next = 0;
        for (int s = 0; s < stages.Length; s++)
        {
            bool last = s == stages.Length - 1;
            List<bool> experts = [.. Enumerable.Range(next, layers[s]).Select(model.IsMixtureOfExperts)];
            next += layers[s];
            if (last) experts.AddRange(Enumerable.Repeat(model.IsMixtureOfExperts(model.Layers), model.MtpLayers));
            stages[s] = new StageContent(experts, s == 0, last ? 1 + model.MtpLayers : 0, last ? model.MtpLayers : 0);
        }

        return stages;
    }

    /// <summary>The number of layers in the last stage that makes the dearest stage cheapest; the others share the rest, earlier stages one more.</summary>
    private static int[] Spread(TrainingPlan plan)
    {
        ModelConfig model = plan.Model;
        int stages = plan.Layout.Kind == ScheduleKind.DualPipeV ? 2 * plan.Layout.Pipeline : plan.Layout.Pipeline;
        if (stages == 1) return [model.Layers];
        var times = new ChunkTimes(plan);
        var end = new StageContent([.. Enumerable.Repeat(model.IsMixtureOfExperts(model.Layers), model.MtpLayers)], false, 1 + model.MtpLayers, model.MtpLayers);
        double layer = times.Compute(new StageContent([model.IsMixtureOfExperts(model.Layers - 1)], false, 0, 0)), fixedCost = times.Compute(end) / layer;
        int best = Enumerable.Range(0, model.Layers - stages + 2).MinBy(k => (Math.Max(Math.Ceiling((double)(model.Layers - k) / (stages - 1)), k + fixedCost), -k));
        int rest = model.Layers - best;
        return [.. Enumerable.Range(0, stages - 1).Select(s => rest / (stages - 1) + (s < rest % (stages - 1) ? 1 : 0)), best];
    }
}
