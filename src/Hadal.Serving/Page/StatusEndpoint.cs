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
        var config = model.Engine.Model.Config;
        var s = model.Engine.Statistics;
        var status = new EngineStatus
        {
            Model = model.Name,
            Template = model.Template?.Name,
            Reasoning = model.Template?.Reasoning is not null,
            CanSwitchThinking = model.Template?.CanSwitchThinking ?? false,
            Temperature = model.Defaults.Temperature,
            TopP = model.Defaults.TopP,
            ContextTokens = model.Engine.ContextTokens,
            Layers = config.Layers,
            Experts = s.Experts,
            ExpertsPerToken = s.Experts == 0 ? 0 : config.ExpertsPerToken,
            Drafts = model.Engine.MostDrafts,
            Running = s.Running,
            Waiting = s.Waiting,
            HeldPages = s.HeldPages,
            KeptPages = s.KeptPages,
            MostPages = s.MostPages,
            Steps = s.Steps,
            ComputedPromptTokens = s.ComputedPromptTokens,
            ReusedPromptTokens = s.ReusedPromptTokens,
            GeneratedTokens = s.GeneratedTokens,
            ProposedDrafts = s.ProposedDrafts,
            AcceptedDrafts = s.AcceptedDrafts,
            Preemptions = s.Preemptions,
            StepRows = s.StepRows,
            StepSequences = s.StepSequences,
            StepSeconds = s.StepSeconds,
            ExpertImbalance = s.ExpertImbalance,
        };
        return scope.WriteAsync(http, status, StatusJson.Default.EngineStatus);
    }
}

/// <summary>Figures of the engine; counters grow, the others are of now.</summary>
internal sealed record EngineStatus
{
    public required string Model { get; init; }

    public string? Template { get; init; }

    public bool Reasoning { get; init; }

    public bool CanSwitchThinking { get; init; }

    /// <summary>Used where a request names none, as the one below.</summary>
    public double Temperature { get; init; }

    public double TopP { get; init; }

    public int ContextTokens { get; init; }

    public int Layers { get; init; }

    /// <summary>Routed experts of a layer; 0 for a model without.</summary>
    public int Experts { get; init; }

    public int ExpertsPerToken { get; init; }

    /// <summary>Tokens that are drafted at most; 0 for a model that does not.</summary>
    public int Drafts { get; init; }

    public int Running { get; init; }

    public int Waiting { get; init; }

    public int HeldPages { get; init; }

    public int KeptPages { get; init; }

    public int MostPages { get; init; }

    public long Steps { get; init; }

    public long ComputedPromptTokens { get; init; }

    public long ReusedPromptTokens { get; init; }

    public long GeneratedTokens { get; init; }

    public long ProposedDrafts { get; init; }

    public long AcceptedDrafts { get; init; }

    public long Preemptions { get; init; }

    public int StepRows { get; init; }

    public int StepSequences { get; init; }

    public double StepSeconds { get; init; }

    public double ExpertImbalance { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EngineStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
