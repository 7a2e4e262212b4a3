using System.Text.Json.Serialization;

namespace Hadal.Training.Runs;

/// <summary>How a run is cut over ranks: <c>parallel</c> in a run file. May change between two sittings of a run.</summary>
public sealed record ParallelSettings
{
    /// <summary>How the ranks of a pipeline take turns: <c>1f1b</c>, <c>zb1p</c>, <c>dualpipe</c> or <c>dualpipev</c>.</summary>
    [JsonPropertyName("schedule")]
    public string Schedule { get; init; } = "1f1b";

    /// <summary>Ranks of a pipeline, each with consecutive layers. 1 for no pipeline.</summary>
    [JsonPropertyName("pipeline")]
    public int Pipeline { get; init; } = 1;

    /// <summary>Ranks that share out the routed experts of every layer; each trains on micro-batches of its own.</summary>
    [JsonPropertyName("experts")]
    public int Experts { get; init; } = 1;

    /// <summary>How often all of that is there, on other micro-batches.</summary>
    [JsonPropertyName("data")]
    public int Data { get; init; } = 1;

    /// <summary>Ranks of one machine among those that share experts, in a row: rows cross to a machine once, however many of its experts are chosen. 0 for all of them.</summary>
    [JsonPropertyName("ranks_per_node")]
    public int RanksPerNode { get; init; }

    /// <summary>How rows travel to experts: <c>fp32</c>, <c>bf16</c> or <c>fp8</c> (report section 3.2.2: <c>fp8</c>).</summary>
    [JsonPropertyName("dispatch")]
    public string Dispatch { get; init; } = "fp32";

    /// <summary>How results travel back: <c>fp32</c> or <c>bf16</c> (report: <c>bf16</c>).</summary>
    [JsonPropertyName("combine")]
    public string Combine { get; init; } = "fp32";

    /// <summary>Layers of each pipeline stage, first to last; [] to share them out evenly.</summary>
    [JsonPropertyName("stage_layers")]
    public IReadOnlyList<int> StageLayers { get; init; } = [];

    /// <summary>Ranks in all.</summary>
    [JsonIgnore]
    public int Ranks => checked(Pipeline * Experts * Data);
}
