using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Output;
using Hadal.Serving.Load;
using Spectre.Console;

namespace Hadal.Cli.Drawing;

/// <summary>What <c>hadal bench serve</c> prints.</summary>
internal static class LoadDrawing
{
    /// <summary>Draws a report.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="model">What was asked.</param>
    /// <param name="plan">How.</param>
    /// <param name="report">What came of it.</param>
    /// <param name="first">For goodput: most seconds to the first token; null for no limit.</param>
    /// <param name="token">For goodput: most seconds per token; null for no limit.</param>
    public static void Draw(CommandContext context, string model, LoadPlan plan, LoadReport report, double? first, double? token)
    {
        int failed = report.Count(LoadOutcome.Failed), unfinished = report.Count(LoadOutcome.Unfinished), good = report.Good(first, token);
        long prompt = report.Requests.Sum(r => (long)r.PromptTokens), cached = report.Requests.Sum(r => (long)r.CachedTokens);
        var sheet = new FactSheet($"{model}: {(plan.Rate is { } rate ? $"{Figures.Number(rate)} requests/s, open loop" : $"{plan.Concurrency} clients, closed loop")}")
            .Add("requests", $"{report.Requests.Count} in {Figures.Number(report.Seconds)} s: {report.Count(LoadOutcome.Answered)} answered, {report.Count(LoadOutcome.GivenUp)} given up, {failed} failed{(unfinished > 0 ? $", {unfinished} unfinished" : "")}")
            .Add("throughput", $"{Figures.Number(report.TokensPerSecond)} tokens/s, {Figures.Number(report.AnswersPerSecond)} answers/s")
            .Add("prompts", $"{Figures.Number(report.Seconds > 0 ? prompt / report.Seconds : 0)} tokens/s, {Figures.Percent(prompt > 0 ? (double)cached / prompt : 0)} of them computed before");
        if (first is not null || token is not null) sheet.Add("goodput", $"{Figures.Number(report.Seconds > 0 ? good / report.Seconds : 0)} answers/s ({good} answers{Limit("TTFT", first)}{Limit("TPOT", token)})");
        sheet.Write(context);
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("milliseconds");
        foreach (string column in new[] { "count", "mean", "p50", "p90", "p99", "most" }) table.AddColumn(column, c => c.RightAligned());
        foreach (var (name, _, times) in Rows(report))
        {
            if (times is null) table.AddRow(name, "0", "-", "-", "-", "-", "-");
            else table.AddRow([name, Figures.Whole(times.Count), .. new[] { times.Mean, times.P50, times.P90, times.P99, times.Most }.Select(t => Figures.Number(1000 * t))]);
        }

        context.Out.Write(table);
        foreach (var error in Errors(report).Take(5)) context.Out.WriteLine($"{error.Count()} × {error.Key}");

        static string Limit(string name, double? seconds) => seconds is { } s ? $", {name} ≤ {Figures.Number(1000 * s)} ms" : "";
    }

    /// <summary>The same as JSON; times in seconds.</summary>
    public static JsonObject ToJson(string model, LoadPlan plan, LoadReport report, double? first, double? token)
    {
        var json = new JsonObject
        {
            ["model"] = model,
            ["rate"] = plan.Rate,
            ["concurrency"] = plan.Rate is null ? plan.Concurrency : null,
            ["prompt_tokens"] = plan.PromptTokens.ToString(),
            ["answer_tokens"] = plan.AnswerTokens.ToString(),
            ["shared_prefix"] = plan.SharedPrefixTokens,
            ["prefix_groups"] = plan.PrefixGroups,
            ["seed"] = plan.Seed,
            ["seconds"] = JsonOutput.Number(report.Seconds),
            ["requests"] = report.Requests.Count,
            ["answered"] = report.Count(LoadOutcome.Answered),
            ["given_up"] = report.Count(LoadOutcome.GivenUp),
            ["failed"] = report.Count(LoadOutcome.Failed),
            ["unfinished"] = report.Count(LoadOutcome.Unfinished),
            ["total_prompt_tokens"] = report.Requests.Sum(r => (long)r.PromptTokens),
            ["total_cached_tokens"] = report.Requests.Sum(r => (long)r.CachedTokens),
            ["total_answer_tokens"] = report.Requests.Sum(r => (long)r.AnswerTokens),
            ["tokens_per_second"] = JsonOutput.Number(report.TokensPerSecond),
            ["answers_per_second"] = JsonOutput.Number(report.AnswersPerSecond),
            ["good"] = report.Good(first, token),
            ["good_per_second"] = JsonOutput.Number(report.Seconds > 0 ? report.Good(first, token) / report.Seconds : 0),
        };
        foreach (var (_, field, times) in Rows(report))
        {
            json[field] = times is null ? null : new JsonObject
            {
                ["count"] = times.Count,
                ["mean"] = JsonOutput.Number(times.Mean),
                ["p50"] = JsonOutput.Number(times.P50),
                ["p90"] = JsonOutput.Number(times.P90),
                ["p99"] = JsonOutput.Number(times.P99),
                ["most"] = JsonOutput.Number(times.Most),
            };
        }

        json["errors"] = new JsonArray([.. Errors(report).Select(e => new JsonObject { ["message"] = e.Key, ["count"] = e.Count() })]);
        return json;
    }

    private static IEnumerable<(string Name, string Field, LoadPercentiles? Times)> Rows(LoadReport report) =>
    [
        ("to the first token (TTFT)", "ttft", report.FirstToken),
        ("per token behind it (TPOT)", "tpot", report.PerToken),
        ("between tokens", "between_tokens", report.BetweenTokens),
        ("to the end", "end_to_end", report.Whole),
        ("the generator's own lag", "lag", report.Lag),
    ];

    private static IEnumerable<IGrouping<string, LoadMeasurement>> Errors(LoadReport report) =>
        report.Requests.Where(r => r.Error is not null).GroupBy(r => r.Error!).OrderByDescending(g => g.Count());
}
