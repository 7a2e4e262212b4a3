using System.Text.Json.Serialization;

namespace Hadal.Training.Optimization;

/// <summary>Grows the batch from fewer sequences to the run's <c>batch_sequences</c>, linearly in the tokens seen (report section 4.2: 3072 to 15360 over 469 billion tokens).</summary>
/// <param name="StartSequences">Sequences of the first step: a multiple of the micro-batch, at most <c>batch_sequences</c>.</param>
/// <param name="Tokens">Tokens behind which a step has the full batch, above 0.</param>
public sealed record BatchRamp(
    [property: JsonPropertyName("start_sequences"), JsonRequired] int StartSequences,
    [property: JsonPropertyName("tokens"), JsonRequired] double Tokens);
