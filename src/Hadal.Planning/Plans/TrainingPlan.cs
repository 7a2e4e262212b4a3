using System.Text.Json.Serialization;
using Hadal.Model.Configuration;
using Hadal.Planning.Clusters;

namespace Hadal.Planning.Plans;

/// <summary>A training run to be planned.</summary>
public sealed record TrainingPlan
{
    /// <summary>What it is called in messages: its file, or its preset.</summary>
    [JsonIgnore]
    public string Name { get; init; } = "v3-h800";

    /// <summary>The model.</summary>
    [JsonIgnore]
    public ModelConfig Model { get; init; } = new();

    /// <summary>The machines.</summary>
    [JsonIgnore]
    public Cluster Cluster { get; init; } = Cluster.H800;

    /// <summary>How the run lies on them.</summary>
    public TrainingLayout Layout { get; init; } = new();

    /// <summary>Sequences of a step over all devices.</summary>
    public int BatchSequences { get; init; } = 15360;

    /// <summary>Tokens of a sequence.</summary>
    public int SequenceLength { get; init; } = 4096;

    /// <summary>Tokens of pre-training.</summary>
    public double Tokens { get; init; } = 14.8e12;

    /// <summary>Device hours of other work that the price is to include, by name; taken as given.</summary>
    public IReadOnlyDictionary<string, double> OtherHours { get; init; } = new Dictionary<string, double>();

    /// <summary>Micro-batches of a step on each replica.</summary>
    [JsonIgnore]
    public int MicroBatches => BatchSequences / (Layout.DataParallel * Layout.SequencesPerMicroBatch);

    /// <summary>Tokens of a micro-batch on one device.</summary>
    [JsonIgnore]
    public int MicroBatchTokens => Layout.SequencesPerMicroBatch * SequenceLength;
}
