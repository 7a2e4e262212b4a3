using System.Text.Json.Serialization;
using Hadal.Parallel.Schedules;

namespace Hadal.Planning.Plans;

/// <summary>How a training run lies on its devices: a pipeline of <see cref="Pipeline"/> ranks; each rank is there once for each of <see cref="DataParallel"/> replicas.</summary>
public sealed record TrainingLayout
{
    /// <summary>Devices in all.</summary>
    public int Devices { get; init; } = 2048;

    /// <summary>Ranks of the pipeline.</summary>
    public int Pipeline { get; init; } = 16;

    /// <summary>Devices that share out the routed experts of a stage; divides <see cref="DataParallel"/>.</summary>
    public int Experts { get; init; } = 64;

    /// <summary>Name of the pipeline's schedule: <c>1f1b</c>, <c>zb1p</c>, <c>dualpipe</c>, <c>dualpipev</c>.</summary>
    public string Schedule { get; init; } = ScheduleKind.DualPipe.Name();

    /// <summary>Sequences of a micro-batch on one device.</summary>
    public int SequencesPerMicroBatch { get; init; } = 1;

    /// <summary>Layers of each stage, first to last; null to spread them evenly, with head and MTP modules counted as what they cost.</summary>
    public IReadOnlyList<int>? LayersPerStage { get; init; }

    /// <summary>What the backward computes again.</summary>
    public Recomputation Recompute { get; init; } = Recomputation.UpProjections;

    /// <summary>Numbers in which products are computed.</summary>
    public TrainingPrecision Precision { get; init; } = TrainingPrecision.Fp8;

    /// <summary>Whether master weights and moments are sharded over replicas (ZeRO-1).</summary>
    public bool ShardOptimizer { get; init; } = true;

    /// <summary>The schedule's kind.</summary>
    [JsonIgnore]
    public ScheduleKind Kind => ScheduleNames.Parse(Schedule);

    /// <summary>Replicas of the pipeline.</summary>
    [JsonIgnore]
    public int DataParallel => Devices / Pipeline;
}
