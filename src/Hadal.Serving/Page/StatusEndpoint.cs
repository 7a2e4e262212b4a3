using System.Text.Json.Serialization;
using Hadal.Serving.OpenAI;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.Page;

/// <summary><c>GET /hadal/status</c>: what the engine does, for the page's gauges.</summary>
internal static class StatusEndpoint
{
    public static Task HandleAsync(HttpContext http, RequestScope scope)
    {
        var model = scope.Model(null);
        var s = model.Engine.Statistics;
        var status = new EngineStatus(
            model.Name, model.Template?.Name, model.Template?.Reasoning is not null, model.Template?.CanSwitchThinking ?? false, model.Engine.ContextTokens,
            model.Engine.Model.Config.Layers, model.Engine.Model.Config.RoutedExperts, s.Running, s.Waiting, s.HeldPages, s.KeptPages, s.MostPages, s.Steps,
            s.ComputedPromptTokens, s.ReusedPromptTokens, s.GeneratedTokens, s.ProposedDrafts, s.AcceptedDrafts, s.StepRows, s.StepSequences, s.StepSeconds, s.ExpertImbalance);
        return scope.WriteAsync(http, status, StatusJson.Default.EngineStatus);
    }
}

/// <summary>Figures of the engine; counters grow, the others are of now.</summary>
internal sealed record EngineStatus(
    string Model,
    string? Template,
    bool Reasoning,
    bool CanSwitchThinking,
    int ContextTokens,
    int Layers,
    int Experts,
    int Running,
    int Waiting,
    int HeldPages,
    int KeptPages,
    int MostPages,
    long Steps,
    long ComputedPromptTokens,
    long ReusedPromptTokens,
    long GeneratedTokens,
    long ProposedDrafts,
    long AcceptedDrafts,
    int StepRows,
    int StepSequences,
    double StepSeconds,
    double ExpertImbalance);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EngineStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
