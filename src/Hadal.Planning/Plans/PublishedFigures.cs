using Hadal.Parallel.Schedules;
using Hadal.Planning.Serving;
using Hadal.Planning.Training;

namespace Hadal.Planning.Plans;

/// <summary>What is published about the presets, beside their forecasts. No forecast takes any of these as an input.</summary>
public static class PublishedFigures
{
    private const string Report = "report, table 1", Step = "\"Insights into DeepSeek-V3\", step on 2,048 H800", Trace = "profile-data, train.json", OpenInfra = "open-infra-index, day 6, mean of 24 hours";

    /// <summary>Of <see cref="PlanPresets.V3H800"/>. The parts of a step are those of a rank with the first and the last stage.</summary>
    /// <param name="forecast">Its forecast.</param>
    /// <returns>The figures.</returns>
    public static IReadOnlyList<PublishedFigure> OfTraining(TrainingForecast forecast)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        double Part(params OperationKind[] kinds) => forecast.Timeline.Lanes[0].Spans.Where(s => kinds.Contains(s.Operation!.Value.Kind)).Sum(s => s.Duration);
        return
        [
            new("device hours for 10¹² tokens", "thousand hours", 180, forecast.HoursPerTrillionTokens / 1e3, Report),
            new("pre-training", "million hours", 2.664, forecast.TrainingHours / 1e6, Report),
            new("everything", "million dollars", 5.576, forecast.Dollars / 1e6, Report),
            new("overlapped pair of four layers", "ms", 129.0, forecast.PairSeconds * 1e3, Trace),
            new("communication exposed in it", "%", 3.3, forecast.PairExposedFraction * 100, Trace),
            new("step", "s", 19.926, forecast.StepSeconds, Step),
            new("step: forwards alone", "s", 1.13, Part(OperationKind.Forward), Step),
            new("step: backwards alone", "s", 1.99, Part(OperationKind.Backward, OperationKind.BackwardForInputs), Step),
            new("step: weight gradients alone", "s", 0.48, Part(OperationKind.WeightGradient), Step),
            new("step: overlapped pairs", "s", 13.95, Part(OperationKind.ForwardAndBackward), Step),
            new("step: bubble", "s", 2.06, forecast.Timeline.Bubble(0), Step),
            new("step: optimizer", "s", 0.29, forecast.StepEndSeconds, Step),
            new("tokens a day", "billion", 272.80, forecast.TokensPerDay / 1e9, Step),
            new("operations of a token, causal", "billion", 250, forecast.OperationsPerToken / 1e9, Step),
            new("MFU, causal, of the BF16 peak", "%", 38.94, forecast.ModelFlopsUtilization * 100, Step),
        ];
    }

    /// <summary>Of <see cref="PlanPresets.V3Serving"/>. Rates a node are capacities of full units here, and means of a day there, whose load falls at night.</summary>
    /// <param name="forecast">Its forecast.</param>
    /// <returns>The figures.</returns>
    public static IReadOnlyList<PublishedFigure> OfServing(ServingForecast forecast)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        return
        [
            new("decoding, limit of the network", "tokens/s", 67, forecast.DecodeLimitTokensPerSecond, "\"Insights into DeepSeek-V3\""),
            new("prompts, cache hits included", "thousand tokens/s a node", 73.7, forecast.PrefillTokensPerSecondPerNode / 1e3, OpenInfra),
            new("decoding", "thousand tokens/s a node", 14.8, forecast.DecodeTokensPerSecondPerNode / 1e3, OpenInfra),
        ];
    }
}
