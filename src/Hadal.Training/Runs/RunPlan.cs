using System.Text.Json.Serialization;
using Hadal.Model.Configuration;

namespace Hadal.Training.Runs;

/// <summary>What a run needs before it starts: the answer of a dry run.</summary>
/// <param name="Parameters">Trained numbers, MTP modules included.</param>
/// <param name="ActiveParameters">Numbers of the main model that one token meets, head included, embedding not.</param>
/// <param name="MemoryBytes">All of <see cref="Memory"/>.</param>
/// <param name="FlopsPerToken">6 per active matrix parameter and token, MTP modules included, and causal attention at the run's length (section 13 of the specification).</param>
public sealed record RunPlan(
    [property: JsonPropertyName("parameters")] long Parameters,
    [property: JsonPropertyName("active_parameters")] long ActiveParameters,
    [property: JsonPropertyName("memory_bytes")] long MemoryBytes,
    [property: JsonPropertyName("flops_per_token")] double FlopsPerToken)
{
    /// <summary>The part of <see cref="FlopsPerToken"/> that the main model takes: 250.45 billion for DeepSeek-V3 at 4,096 tokens.</summary>
    [JsonPropertyName("main_flops_per_token")]
    public double MainFlopsPerToken { get; init; }

    /// <summary>The memory by what it is for.</summary>
    [JsonPropertyName("memory")]
    public required RunMemory Memory { get; init; }

    /// <summary>Bytes that <see cref="RunConfig.Recompute"/> saves.</summary>
    [JsonPropertyName("recompute_saves_bytes")]
    public long RecomputeSavesBytes { get; init; }

    /// <summary>Counts without allocating anything.</summary>
    /// <param name="run">A valid run.</param>
    /// <param name="config">Its model.</param>
    /// <returns>The counts.</returns>
    public static RunPlan Of(RunConfig run, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(config);
        var (main, mtp) = FlopsOf(run, config);
        var memory = RunMemory.Of(run, config);
        long saved = run.Recompute.Count == 0 ? 0 : RunMemory.Of(run with { Recompute = [] }, config).Total - memory.Total;
        return new RunPlan(checked(config.ParameterCount + config.MtpParameterCount), config.ActiveParameterCount, memory.Total, main + mtp) { MainFlopsPerToken = main, Memory = memory, RecomputeSavesBytes = saved };
    }

    /// <summary>Operations per token of the main model and of its MTP modules; their sum is <see cref="FlopsPerToken"/>. Unlike the plan it takes no time.</summary>
    /// <param name="run">A valid run.</param>
    /// <param name="config">Its model.</param>
    /// <returns>Both.</returns>
    public static (double Main, double Mtp) FlopsOf(RunConfig run, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(config);
        var single = config with { MtpLayers = 0 };
        double mtpActive = 0;
        if (config.MtpLayers > 0)
        {
            // A module is one more layer behind eh_proj, and uses the head once more.
            double perLayer = (double)(single with { Layers = config.Layers + 1 }).ActiveParameterCount - single.ActiveParameterCount;
            mtpActive = config.MtpLayers * (perLayer + 2.0 * config.HiddenSize * config.HiddenSize + (double)config.VocabularySize * config.HiddenSize);
        }

        double attention = 6.0 * config.Heads * (config.QueryHeadWidth + config.ValueWidth) * run.SequenceLength / 2;
        return (6.0 * config.ActiveParameterCount + config.Layers * attention, 6 * mtpActive + config.MtpLayers * attention);
    }
}
