using System.Diagnostics;
using Hadal.Inference.Batching;
using Hadal.Inference.Generation;
using Hadal.Serving.Answering;
using Hadal.Serving.OpenAI;
using Hadal.Serving.Security;

namespace Hadal.Serving.Monitoring;

/// <summary>Follows one request for metrics and traces. Neither prompt nor answer is recorded.</summary>
internal sealed class RequestObservation : IDisposable
{
    private readonly ServingMeters _meters;
    private readonly Activity? _activity;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly TagList _tags;
    private bool _begun;

    public RequestObservation(ServingMeters meters, string operation, ServedModel model, SamplingFields? request, ApiKey? key)
    {
        _meters = meters;
        _tags = new TagList { { "gen_ai.operation.name", operation }, { "gen_ai.request.model", model.Name }, { "gen_ai.provider.name", "hadal" } };
        _activity = ServingMeters.Activities.StartActivity($"{operation} {model.Name}", ActivityKind.Server);
        if (_activity is not { IsAllDataRequested: true } activity) return;
        foreach (var tag in _tags) activity.SetTag(tag.Key, tag.Value);
        if (request is not null)
        {
            activity.SetTag("gen_ai.request.max_tokens", request.MaxTokens);
            activity.SetTag("gen_ai.request.temperature", request.Temperature);
            activity.SetTag("gen_ai.request.top_p", request.TopP);
            activity.SetTag("gen_ai.request.seed", request.Seed);
        }

        if (key is not null) activity.SetTag("hadal.api_key.name", key.Name);
    }

    /// <summary>Something has come.</summary>
    public void Token()
    {
        if (_begun) return;
        _begun = true;
        _activity?.AddEvent(new ActivityEvent("gen_ai.first_token"));
    }

    /// <summary>All answers have ended.</summary>
    /// <param name="results">The answers.</param>
    /// <param name="promptTokens">Tokens of the prompts.</param>
    /// <param name="reasons">Why each answer ended.</param>
    public void End(IReadOnlyList<GenerationResult> results, int promptTokens, IEnumerable<string> reasons)
    {
        foreach (var result in results) _meters.RecordAnswer(_tags, result);
        int tokens = results.Sum(r => r.Tokens.Count);
        _meters.RecordRequest(_tags, Stopwatch.GetElapsedTime(_start).TotalSeconds, promptTokens, tokens);
        _activity?.SetTag("gen_ai.usage.input_tokens", promptTokens);
        _activity?.SetTag("gen_ai.usage.output_tokens", tokens);
        _activity?.SetTag("gen_ai.response.finish_reasons", reasons.ToArray());
    }

    /// <summary>All vectors are there.</summary>
    /// <param name="tokens">Tokens of the texts.</param>
    /// <param name="results">The vectors.</param>
    public void End(int tokens, IEnumerable<EmbeddingResult> results)
    {
        foreach (var result in results) _meters.RecordWait(_tags, result.WaitSeconds);
        _meters.RecordRequest(_tags, Stopwatch.GetElapsedTime(_start).TotalSeconds, tokens, null);
        _activity?.SetTag("gen_ai.usage.input_tokens", tokens);
    }

    public void Dispose() => _activity?.Dispose();
}
