using System.Text.Json.Serialization;

namespace Hadal.Training.Metrics;

/// <summary>The JSON form of a metrics line, generated at compile time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(StepMetrics))]
internal sealed partial class MetricsJsonContext : JsonSerializerContext;
