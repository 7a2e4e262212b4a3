using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Training.Metrics;
using Hadal.Training.Studies;

namespace Hadal.Cli.Monitoring;

/// <summary>Where a run stands, from what its folder holds.</summary>
/// <param name="State"><c>running</c>, <c>complete</c> or <c>stopped</c>.</param>
/// <param name="AllSteps">Steps of the run.</param>
/// <param name="AllTokens">Tokens of the run.</param>
/// <param name="Steps">What it measured so far.</param>
internal sealed record RunStatus(string State, int AllSteps, long AllTokens, IReadOnlyList<StepMetrics> Steps)
{
    private const int SpeedWindow = 20;

    /// <summary>The status of a run.</summary>
    public static RunStatus Of(RunRecord record) => Of(record, record.State, record.Steps);

    /// <summary>The status of a run of which more is known than its record says.</summary>
    public static RunStatus Of(RunRecord record, string state, IReadOnlyList<StepMetrics> steps) => new(state, record.Run.Steps, record.Run.Tokens, steps);

    /// <summary>The last step; null before the first.</summary>
    public StepMetrics? Last => Steps.Count > 0 ? Steps[^1] : null;

    /// <summary>Seconds of a token, mean of the last steps; null before the first.</summary>
    public double? SecondsPerToken
    {
        get
        {
            int first = Math.Max(0, Steps.Count - SpeedWindow);
            if (Last is not { } last) return null;
            long tokens = last.Tokens - (first == 0 ? 0 : Steps[first - 1].Tokens);
            return tokens > 0 ? SecondsOf(Enumerable.Range(first, Steps.Count - first)).Sum() / tokens : null;
        }
    }

    /// <summary>Time that the steps took so far.</summary>
    public TimeSpan Elapsed => TimeSpan.FromSeconds(SecondsOf(Enumerable.Range(0, Steps.Count)).Sum());

    private TimeSpan? Left => State == "running" && Last is { } last && SecondsPerToken is { } seconds ? TimeSpan.FromSeconds(seconds * Math.Max(0, AllTokens - last.Tokens)) : null;

    /// <summary>The run's state in a sentence.</summary>
    public string Sentence(string name) => State switch
    {
        "running" => $"{name} goes on.",
        "complete" => $"{name} is complete: {Figures.Whole(AllSteps)} of {Figures.Whole(AllSteps)} steps.",
        _ when Last is null => $"{name} has not done a step, and no process trains it.",
        _ => $"{name} has stopped after step {Figures.Whole(Last.Step)} of {Figures.Whole(AllSteps)}; hadal train goes on from its newest checkpoint.",
    };

    /// <summary>Writes it as facts.</summary>
    public void Write(CommandContext context, string name)
    {
        var sheet = new FactSheet(Sentence(name));
        if (Last is { } last)
        {
            sheet.Add("step", $"{Figures.Whole(last.Step)} of {Figures.Whole(AllSteps)} ({Figures.Percent((double)last.Tokens / AllTokens)}), {Figures.Count(last.Tokens)} tokens");
            sheet.Add("loss", $"{Figures.Loss(last.MainLoss)}, smoothed {Figures.Loss(LossCurve.Smooth(Steps)[^1])}");
            if (Validation() is { } validation) sheet.Add("validation loss", $"{Figures.Loss(validation.ValidationLoss!.Value)} at step {Figures.Whole(validation.Step)}");
            sheet.Add("gradient norm", Figures.Number(last.GradNorm));
            sheet.Add("learning rate", Figures.Number(last.LearningRate));
            sheet.Add("speed", Figures.Rate(last.TokensPerSecond, "tokens") + (last.ModelFlopsUtilization is { } mfu ? $", MFU {Figures.Percent(mfu)}" : ""));
            if (last.MaxViolation.Length > 0) sheet.Add("MaxVio, worst layer", Figures.Number(last.MaxViolation.Max()));
            int skipped = Steps.Count(s => s.Skipped is not null);
            if (skipped > 0) sheet.Add("skipped steps", Figures.Whole(skipped));
            sheet.Add("trained for", Figures.Duration(Elapsed));
            if (Left is { } left) sheet.Add("left", Figures.Duration(left));
        }

        sheet.Write(context);
    }

    /// <summary>The same as a document.</summary>
    public JsonObject ToJson(string folder) => new()
    {
        ["run"] = folder,
        ["state"] = State,
        ["step"] = Last?.Step ?? 0,
        ["steps"] = AllSteps,
        ["tokens"] = Last?.Tokens ?? 0,
        ["loss"] = JsonOutput.Number(Last?.Loss),
        ["main_loss"] = JsonOutput.Number(Last?.MainLoss),
        ["validation_loss"] = JsonOutput.Number(Validation()?.ValidationLoss),
        ["grad_norm"] = JsonOutput.Number(Last?.GradNorm),
        ["learning_rate"] = JsonOutput.Number(Last?.LearningRate),
        ["tokens_per_second"] = JsonOutput.Number(Last?.TokensPerSecond),
        ["mfu"] = JsonOutput.Number(Last?.ModelFlopsUtilization),
        ["max_violation"] = JsonOutput.Array((Last?.MaxViolation ?? []).Where(double.IsFinite)),
        ["skipped_steps"] = Steps.Count(s => s.Skipped is not null),
        ["seconds"] = JsonOutput.Number(Elapsed.TotalSeconds),
        ["seconds_left"] = JsonOutput.Number(Left?.TotalSeconds),
    };

    private StepMetrics? Validation() => Steps.LastOrDefault(s => s.ValidationLoss is not null);

    private List<double> SecondsOf(IEnumerable<int> indices) => [.. indices.Select(i => StudyResult.SecondsOf(Steps, i)).Where(double.IsFinite)];
}
