using Hadal.Model.Configuration;
using Hadal.Parallel.Schedules;

namespace Hadal.Planning.Plans;

/// <summary>What a training plan has to fulfil before anything is computed.</summary>
internal static class TrainingPlanRules
{
    // Far above anything real, and small enough that products of two of them can be counted.
    private const int MostDevices = 1 << 20, MostSequences = 1 << 24, MostTokens = 1 << 24;

    /// <exception cref="ConfigException">The first rule that is broken: which field, and what would be right.</exception>
    public static void Check(TrainingPlan plan)
    {
        var (model, layout, cluster) = (plan.Model, plan.Layout, plan.Cluster);
        void Fail(string field, string problem) => throw new ConfigException(plan.Name, field, problem);
        void Positive(string field, double value)
        {
            if (!(value > 0) || !double.IsFinite(value)) Fail(field, $"{field} is {value}, but has to be a number above 0");
        }

        foreach (var (field, value) in (ReadOnlySpan<(string, double)>)[
            ("batch_sequences", plan.BatchSequences), ("sequence_length", plan.SequenceLength), ("tokens", plan.Tokens), ("layout.devices", layout.Devices), ("layout.pipeline", layout.Pipeline),
            ("layout.experts", layout.Experts), ("layout.sequences_per_micro_batch", layout.SequencesPerMicroBatch), ("cluster.devices_per_node", cluster.DevicesPerNode),
            ("cluster.memory_bytes", cluster.MemoryBytes), ("cluster.fp8_tflops", cluster.Fp8Tflops), ("cluster.bf16_tflops", cluster.Bf16Tflops),
            ("cluster.bf16_reached_tflops", cluster.Bf16ReachedTflops), ("cluster.fp8_reached_tflops", cluster.Fp8ReachedTflops), ("cluster.memory_gb_per_s", cluster.MemoryGbPerS),
            ("cluster.memory_reached_gb_per_s", cluster.MemoryReachedGbPerS), ("cluster.node_gb_per_s", cluster.NodeGbPerS), ("cluster.network_gb_per_s", cluster.NetworkGbPerS)]) Positive(field, value);
        foreach (var (name, milliseconds) in cluster.LayerMilliseconds.Named())
            if (!(milliseconds >= 0) || !double.IsFinite(milliseconds)) Fail("cluster.layer_milliseconds", $"cluster.layer_milliseconds.{name} is {milliseconds}, but has to be a number of at least 0");
        var times = cluster.LayerMilliseconds;
        if (times.CoreForward > times.AttentionForward || times.CoreBackward + times.AttentionRecompute > times.AttentionBackward || times.MlpRecompute > times.MlpBackward)
            Fail("cluster.layer_milliseconds", "cluster.layer_milliseconds has parts that take longer than their whole; core_forward is part of attention_forward, core_backward and attention_recompute of attention_backward, mlp_recompute of mlp_backward");
        if (!(cluster.DollarsPerDeviceHour >= 0)) Fail("cluster.dollars_per_device_hour", $"cluster.dollars_per_device_hour is {cluster.DollarsPerDeviceHour}, but has to be at least 0");
        if (layout.Devices > MostDevices) Fail("layout.devices", $"layout.devices is {layout.Devices}, but at most {MostDevices} are planned");
        if (plan.BatchSequences > MostSequences) Fail("batch_sequences", $"batch_sequences is {plan.BatchSequences}, but at most {MostSequences} are planned");
        if ((long)layout.SequencesPerMicroBatch * plan.SequenceLength > MostTokens)
            Fail("layout.sequences_per_micro_batch", $"a micro-batch of {layout.SequencesPerMicroBatch} sequences of {plan.SequenceLength} tokens is too large; at most {MostTokens} tokens are planned");
        foreach (var (name, hours) in plan.OtherHours)
            if (!(hours >= 0) || !double.IsFinite(hours)) Fail("other_hours", $"other_hours.{name} is {hours}, but has to be a number of at least 0");
        if (!ScheduleNames.All.Contains(layout.Schedule, StringComparer.OrdinalIgnoreCase)) Fail("layout.schedule", $"layout.schedule is '{layout.Schedule}', but has to be one of {string.Join(", ", ScheduleNames.All)}");
        if (layout.Devices % layout.Pipeline != 0)
            Fail("layout.pipeline", $"{layout.Devices} devices cannot be shared out over {layout.Pipeline} pipeline ranks; layout.pipeline has to divide layout.devices");
        if (model.RoutedExperts > 0 && model.RoutedExperts % layout.Experts != 0)
            Fail("layout.experts", $"{model.RoutedExperts} experts cannot be shared out over {layout.Experts} devices; layout.experts has to divide the number of experts");
        if (layout.DataParallel % layout.Experts != 0)
            Fail("layout.experts", $"each stage lies on {layout.DataParallel} devices, which {layout.Experts} devices for the experts do not divide; layout.experts has to divide devices / pipeline");
        long together = (long)layout.DataParallel * layout.SequencesPerMicroBatch;
        if (plan.BatchSequences % together != 0)
            Fail("batch_sequences", $"{plan.BatchSequences} sequences are no whole number of micro-batches on {layout.DataParallel} replicas of {layout.SequencesPerMicroBatch} sequences each; batch_sequences has to be a multiple of {together}");
        CheckSchedule(plan);
        CheckStages(plan);
    }

    private static void CheckSchedule(TrainingPlan plan)
    {
        try
        {
            ScheduleRules.Check(plan.Layout.Kind, plan.Layout.Pipeline, plan.MicroBatches);
        }
        catch (ScheduleException e)
        {
            throw new ConfigException(plan.Name, "layout.schedule", $"{e.Message.TrimEnd('.')} (micro-batches are batch_sequences / (devices / pipeline · sequences_per_micro_batch))", e);
        }
    }

    private static void CheckStages(TrainingPlan plan)
    {
        int stages = plan.Layout.Kind == ScheduleKind.DualPipeV ? 2 * plan.Layout.Pipeline : plan.Layout.Pipeline;
        if (plan.Layout.LayersPerStage is { } given)
        {
            if (given.Count != stages) throw new ConfigException(plan.Name, "layout.layers_per_stage", $"layout.layers_per_stage has {given.Count} numbers, but {plan.Layout.Kind.Title()} on {plan.Layout.Pipeline} ranks has {stages} stages");
            if (given.Any(l => l < 0) || given.Sum() != plan.Model.Layers)
                throw new ConfigException(plan.Name, "layout.layers_per_stage", $"layout.layers_per_stage adds up to {given.Sum()} layers, but the model has {plan.Model.Layers}; each number has to be at least 0");
        }
        else if (stages > plan.Model.Layers + 1)
        {
            throw new ConfigException(plan.Name, "layout.pipeline", $"{plan.Model.Layers} layers cannot fill {stages} stages; {plan.Layout.Kind.Title()} takes at most {(plan.Model.Layers + 1) / (stages / plan.Layout.Pipeline)} ranks here");
        }
    }
}
