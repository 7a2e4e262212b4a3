using System.Text.Json.Serialization;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Model;

namespace Hadal.Training.Runs;

/// <summary>The memory of a run by what it is for, in bytes: counted by taking a micro-batch through the real layers on a <see cref="PlanningBackend"/>.</summary>
/// <param name="Weights">FP32 master weights.</param>
/// <param name="Gradients">FP32 gradients.</param>
/// <param name="Moments">AdamW's two moments.</param>
/// <param name="Activations">What a micro-batch keeps for its backward.</param>
/// <param name="Temporaries">What one layer's forward or backward needs for itself.</param>
/// <param name="Operands">Coded operands of the largest product.</param>
/// <param name="Checkpoint">The copy that checkpoints are written from; 0 without <c>checkpoint_every</c>.</param>
public sealed record RunMemory(
    [property: JsonPropertyName("weights")] long Weights,
    [property: JsonPropertyName("gradients")] long Gradients,
    [property: JsonPropertyName("moments")] long Moments,
    [property: JsonPropertyName("activations")] long Activations,
    [property: JsonPropertyName("temporaries")] long Temporaries,
    [property: JsonPropertyName("operands")] long Operands,
    [property: JsonPropertyName("checkpoint")] long Checkpoint)
{
    /// <summary>The moving average of the weights; 0 without <c>ema_decay</c>.</summary>
    [JsonPropertyName("average")]
    public long Average { get; init; }

    /// <summary>What a process takes that trains nothing yet: the runtime, its code and the kernels' own scratch. Measured.</summary>
    [JsonPropertyName("program")]
    public long Program { get; init; } = 96L << 20;

    /// <summary>All of it. The text of the run comes on top: four bytes a token.</summary>
    [JsonIgnore]
    public long Total => checked(Weights + Gradients + Moments + Activations + Temporaries + Operands + Checkpoint + Average + Program);

    /// <summary>Counts without taking any of the memory.</summary>
    /// <param name="run">A valid run.</param>
    /// <param name="config">Its model.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ConfigException">The model cannot be trained this way.</exception>
    public static RunMemory Of(RunConfig run, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(config);
        using var backend = new PlanningBackend();
        var options = Trainer.OptionsOf(run);
        using var model = new TrainingModel(backend, config, run.SequenceLength, options);
        model.ForwardBackward(new PackedBatch(run.MicroBatchSequences, run.SequenceLength), new LossScales(run.TokensPerStep, run.BatchSequences, 0, 0), model.CreateLosses());
        long parameters = model.Parameters.Count, average = run.EmaDecay > 0 ? parameters * sizeof(float) : 0;
        return new RunMemory(
            parameters * sizeof(float), parameters * sizeof(float), 2 * parameters * options.Moments.SizeOf(), model.KeptBytes, model.TemporaryBytes, backend.OperandBytes,
            run.CheckpointEvery > 0 ? 3 * parameters * sizeof(float) + average : 0)
        {
            Average = average,
        };
    }
}
