using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;
using Hadal.Planning.Models;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Training;

/// <summary>What a training plan takes: time, memory, money.</summary>
public sealed record TrainingForecast
{
    internal TrainingForecast(TrainingPlan plan, Schedule schedule, Timeline timeline) => (Plan, Schedule, Timeline) = (plan, schedule, timeline);

    /// <summary>The plan.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>Its schedule.</summary>
    public Schedule Schedule { get; }

    /// <summary>The simulated pipeline of one step.</summary>
    public Timeline Timeline { get; }

    /// <summary>[stages]: layers of each stage, MTP modules' layers included.</summary>
    public required IReadOnlyList<int> StageLayers { get; init; }

    /// <summary>Seconds between a step's last backward and the next step's first forward.</summary>
    public required double StepEndSeconds { get; init; }

    /// <summary>Share of an overlapped forward and backward, in the middle of the pipeline, in which only data moves; 0 for a schedule without such pairs.</summary>
    public required double PairExposedFraction { get; init; }

    /// <summary>Seconds of that pair; 0 without pairs.</summary>
    public required double PairSeconds { get; init; }

    /// <summary>Seconds of a step in which only data moves, on the mean rank: inside pairs, and around experts of chunks that run alone.</summary>
    public required double ExposedSeconds { get; init; }

    /// <summary>[ranks]: bytes of a device of each pipeline rank.</summary>
    public required IReadOnlyList<TrainingMemory> MemoryOfRanks { get; init; }

    /// <summary>Bytes of activations of the dearest chunk.</summary>
    public required double ChunkBytes { get; init; }

    /// <summary>Seconds of a step.</summary>
    public double StepSeconds => Timeline.Duration + StepEndSeconds;

    /// <summary>Tokens of a step over all devices.</summary>
    public double StepTokens => (double)Plan.BatchSequences * Plan.SequenceLength;

    /// <summary>Tokens a second over all devices.</summary>
    public double TokensPerSecond => StepTokens / StepSeconds;

    /// <summary>Tokens a day over all devices.</summary>
    public double TokensPerDay => TokensPerSecond * 86400;

    /// <summary>Operations of a token: of the main model, with causal attention.</summary>
    public double OperationsPerToken => LayerWork.TrainingOperations(Plan.Model, Plan.SequenceLength).Main;

    /// <summary>Operations a second that the model needs, of the BF16 peak: the main model alone, causal attention.</summary>
    public double ModelFlopsUtilization => OperationsPerToken * TokensPerSecond / (Plan.Layout.Devices * Plan.Cluster.Bf16Tflops * 1e12);

    /// <summary>Device hours for 10¹² tokens.</summary>
    public double HoursPerTrillionTokens => 1e12 / TokensPerSecond * Plan.Layout.Devices / 3600;

    /// <summary>Device hours of pre-training.</summary>
    public double TrainingHours => HoursPerTrillionTokens * Plan.Tokens / 1e12;

    /// <summary>Device hours in all, the other work included.</summary>
    public double TotalHours => TrainingHours + Plan.OtherHours.Values.Sum();

    /// <summary>Dollars in all.</summary>
    public double Dollars => TotalHours * Plan.Cluster.DollarsPerDeviceHour;

    /// <summary>Days of pre-training.</summary>
    public double Days => Plan.Tokens / TokensPerDay;

    /// <summary>The device that is fullest.</summary>
    public TrainingMemory Memory => MemoryOfRanks.MaxBy(m => m.Total)!;

    /// <summary>Whether every device has room.</summary>
    public bool Fits => Memory.Total <= Plan.Cluster.MemoryBytes;
}
