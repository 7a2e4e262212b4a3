using System.Text.Json.Serialization;
using Hadal.Model.Configuration;
using Hadal.Planning.Clusters;

namespace Hadal.Planning.Plans;

/// <summary>A serving deployment to be planned: units that read prompts and units that decode, each with its own devices.</summary>
public sealed record ServingPlan
{
    /// <summary>What it is called in messages: its file, or its preset.</summary>
    [JsonIgnore]
    public string Name { get; init; } = "v3-serving";

    /// <summary>The model.</summary>
    [JsonIgnore]
    public ModelConfig Model { get; init; } = new();

    /// <summary>The machines.</summary>
    [JsonIgnore]
    public Cluster Cluster { get; init; } = Cluster.H800;

    /// <summary>A unit that reads prompts.</summary>
    public ServingUnit Prefill { get; init; } = new() { Devices = 32, RedundantExperts = 32 };

    /// <summary>A unit that decodes.</summary>
    public ServingUnit Decode { get; init; } = new() { Devices = 144, RedundantExperts = 32 };

    /// <summary>Share of prompt tokens whose latents are found in a cache.</summary>
    public double CachedShare { get; init; } = 0.563;

    /// <summary>Mean tokens in the cache behind a decoded token.</summary>
    public double Context { get; init; } = 4989;

    /// <summary>Tokens a second that a request is to get at least.</summary>
    public double TokensPerSecondPerRequest { get; init; } = 21;

    /// <summary>Requests on a decoding device; 0 for as many as memory and <see cref="TokensPerSecondPerRequest"/> allow.</summary>
    public int RequestsPerDevice { get; init; }

    /// <summary>10⁹ bytes a second that a device's latency-optimised dispatch and combine reach: DeepEP over 128 devices.</summary>
    public double LowLatencyGbPerS { get; init; } = 39;

    /// <summary>Tokens of a device's micro-batch for the limit that the network alone sets.</summary>
    public int LimitTokens { get; init; } = 32;

    /// <summary>Bytes of a decoding device's memory that are neither weights nor cache: buffers of the movements, temporaries.</summary>
    public double ReservedBytes { get; init; } = 8e9;
}
