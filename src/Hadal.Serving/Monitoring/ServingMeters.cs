using System.Diagnostics;
using System.Diagnostics.Metrics;
using Hadal.Inference.Batching;
using Hadal.Serving.Answering;
using Hadal.Serving.Hosting;
using Hadal.Serving.OpenAI;
using Hadal.Serving.Security;

namespace Hadal.Serving.Monitoring;

/// <summary>What the server measures, under the names of OpenTelemetry's GenAI conventions where those have one.</summary>
public sealed class ServingMeters : IDisposable
{
    /// <summary>Name of the meter and of the source of activities.</summary>
    public const string Name = "Hadal.Serving";

    private static readonly double[] _seconds = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    private static readonly long[] _tokenCounts = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144];
    private readonly Meter _meter;
    private readonly ModelSource _source;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _perToken;
    private readonly Histogram<double> _wait;
    private readonly Histogram<long> _tokens;
    private readonly Counter<long> _refused;

    internal ServingMeters(ModelSource source, IMeterFactory? factory = null)
    {
        _source = source;
        _meter = factory?.Create(Name) ?? new Meter(Name);
        _duration = Seconds("gen_ai.server.request.duration", "From a request's arrival to its last token or vector.");
        _firstToken = Seconds("gen_ai.server.time_to_first_token", "From a request's arrival to its first token.");
        _perToken = Seconds("gen_ai.server.time_per_output_token", "Mean time of a token behind the first.");
        _wait = Seconds("hadal.request.wait", "From a request's arrival until its prompt was begun.");
        _tokens = _meter.CreateHistogram(
            "gen_ai.client.token.usage", "{token}", "Tokens of prompts (input) and answers (output).", advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = _tokenCounts });
        _refused = _meter.CreateCounter<long>("hadal.requests.refused", "{request}", "Requests answered with an error, by status.");
        Gauge("hadal.engine.running", "{request}", "Texts in work.", s => s.Running);
        Gauge("hadal.engine.waiting", "{request}", "Requests that wait.", s => s.Waiting);
        Gauge("hadal.engine.batch.rows", "{row}", "Rows of the last step: tokens, drafts and pieces of prompts.", s => s.StepRows);
        Gauge("hadal.engine.batch.sequences", "{request}", "Texts of the last step.", s => s.StepSequences);
        _meter.CreateObservableGauge("hadal.engine.step.duration", () => Statistics() is { } s ? [new Measurement<double>(s.StepSeconds)] : Array.Empty<Measurement<double>>(), "s", "Time of the last step.");
        Gauge("hadal.cache.pages.held", "{page}", "Pages of the latent cache that texts hold.", s => s.HeldPages);
        Gauge("hadal.cache.pages.kept", "{page}", "Pages that are kept for prompts that begin alike.", s => s.KeptPages);
        Gauge("hadal.cache.pages.limit", "{page}", "Pages that the cache may have.", s => s.MostPages);
        Count("hadal.engine.steps", "{step}", "Steps.", s => s.Steps);
        Count("hadal.tokens.prompt.computed", "{token}", "Tokens of prompts that were computed.", s => s.ComputedPromptTokens);
        Count("hadal.tokens.prompt.reused", "{token}", "Tokens of prompts that were there already.", s => s.ReusedPromptTokens);
        Count("hadal.tokens.generated", "{token}", "Tokens generated.", s => s.GeneratedTokens);
        Count("hadal.drafts.proposed", "{token}", "Drafts of the MTP module.", s => s.ProposedDrafts);
        Count("hadal.drafts.accepted", "{token}", "Drafts that stood.", s => s.AcceptedDrafts);
        Count("hadal.engine.preemptions", "{request}", "Times that a text gave its pages to others.", s => s.Preemptions);
        _meter.CreateObservableGauge(
            "hadal.experts.imbalance", () => Statistics() is { Experts: > 0 } s ? [new Measurement<double>(s.ExpertImbalance)] : Array.Empty<Measurement<double>>(), "1",
            "Load of a layer's busiest expert over the mean, less one; mean over layers.");
        _meter.CreateObservableCounter("hadal.experts.chosen", Experts, "{choice}", "How often each expert was chosen.");
    }

    internal static ActivitySource Activities { get; } = new(Name);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal RequestObservation Observe(string operation, ServedModel model, SamplingFields? request, ApiKey? key) =>
        new(this, operation, model, request, key);

    internal void Refused(int status) => _refused.Add(1, new KeyValuePair<string, object?>("http.response.status_code", status));

    /// <summary>A request has been answered.</summary>
    internal void RecordRequest(in TagList tags, double seconds, int inputTokens, int? outputTokens)
    {
        _duration.Record(seconds, tags);
        RecordTokens(tags, "input", inputTokens);
        if (outputTokens is { } tokens) RecordTokens(tags, "output", tokens);
    }

    /// <summary>One of a request's answers has ended.</summary>
    internal void RecordAnswer(in TagList tags, Inference.Generation.GenerationResult result)
    {
        RecordWait(tags, result.WaitSeconds);
        if (result.FirstTokenSeconds > 0) _firstToken.Record(result.FirstTokenSeconds, tags);
        if (result.TokensPerSecond > 0) _perToken.Record(1 / result.TokensPerSecond, tags);
    }

    internal void RecordWait(in TagList tags, double seconds) => _wait.Record(seconds, tags);

    // By value: the tag is added to a copy.
    private void RecordTokens(TagList tags, string type, int tokens)
    {
        tags.Add("gen_ai.token.type", type);
        _tokens.Record(tokens, tags);
    }

    private Histogram<double> Seconds(string name, string description) => _meter.CreateHistogram(
        name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = _seconds });

    private void Gauge(string name, string unit, string description, Func<EngineStatistics, long> value) =>
        _meter.CreateObservableGauge(name, () => Values(value), unit, description);

    private void Count(string name, string unit, string description, Func<EngineStatistics, long> value) =>
        _meter.CreateObservableCounter(name, () => Values(value), unit, description);

    private Measurement<long>[] Values(Func<EngineStatistics, long> value) => Statistics() is { } s ? [new Measurement<long>(value(s))] : [];

    private IEnumerable<Measurement<long>> Experts()
    {
        if (Statistics() is not { Experts: > 0 } s) yield break;
        for (int i = 0; i < s.ExpertCounts.Count; i++)
        {
            if (s.ExpertCounts[i] > 0)
                yield return new Measurement<long>(s.ExpertCounts[i], new KeyValuePair<string, object?>("layer", i / s.Experts), new KeyValuePair<string, object?>("expert", i % s.Experts));
        }
    }

    private EngineStatistics? Statistics() => _source.Loaded.IsCompletedSuccessfully ? _source.Loaded.Result.Engine.Statistics : null;
}
