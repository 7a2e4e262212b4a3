using System.Text;
using Hadal.Cli.Drawing;
using Hadal.Training.Metrics;

namespace Hadal.Cli.Reports;

/// <summary>The steps of a run in order, and what the report says of them as a whole.</summary>
internal sealed class ReportedRun
{
    // The last loss alone is that of one batch; a hundredth of the run evens it out.
    private const double FinalShare = 0.01;

    public ReportedRun(TrainingReportData data)
    {
        Data = data;
        var byNumber = new SortedDictionary<int, StepMetrics>();
        foreach (var step in data.Steps) byNumber[step.Step] = step;
        Steps = [.. byNumber.Values];
        Last = Steps.Count > 0 ? Steps[^1] : null;
        ValidationLoss = data.ValidationLoss ?? Steps.LastOrDefault(s => s.ValidationLoss is not null)?.ValidationLoss;
        var end = Steps.Skip(Steps.Count - Math.Max(1, (int)(Steps.Count * FinalShare)));
        FinalTrainingLoss = Steps.Count > 0 ? end.Average(s => s.MainLoss) : double.NaN;
        MaxViolation = Last is { MaxViolation.Length: > 0 } ? Last.MaxViolation.Max() : null;

        double[] utilizations = [.. Steps.Select(s => s.ModelFlopsUtilization ?? double.NaN).Where(double.IsFinite).Order()];
        ModelFlopsUtilization = utilizations.Length > 0 ? utilizations[utilizations.Length / 2] : null;

        // Tokens over time, not a mean of speeds: the harmonic mean when all steps have as many tokens.
        var speeds = Steps.Select(s => s.TokensPerSecond).Where(s => s > 0 && double.IsFinite(s)).ToList();
        TokensPerSecond = speeds.Count > 0 ? speeds.Count / speeds.Sum(s => 1 / s) : null;
    }

    public TrainingReportData Data { get; }

    public List<StepMetrics> Steps { get; }

    public StepMetrics? Last { get; }

    public double? ValidationLoss { get; }

    public double FinalTrainingLoss { get; }

    public double? MaxViolation { get; }

    public double? TokensPerSecond { get; }

    /// <summary>Median MFU; null where no peak was measured.</summary>
    public double? ModelFlopsUtilization { get; }

    /// <summary>The run in a sentence, from what is known of it.</summary>
    /// <returns>A sentence with its full stop.</returns>
    public string Describe()
    {
        if (Last is null) return "No step was recorded.";
        var text = new StringBuilder("A model");
        if (Data.Parameters is { } parameters)
        {
            text.Append(" of ").Append(Figures.Count(parameters)).Append(" parameters");
            if (Data.ActiveParameters is { } active) text.Append(", ").Append(Figures.Count(active)).Append(" of them at work on each token,");
        }

        text.Append(" learned from ").Append(Figures.Count(Last.Tokens)).Append(" tokens");
        if (Data.Corpus is { } corpus) text.Append(" of ").Append(corpus);
        text.Append(" in ").Append(Figures.Whole(Last.Step)).Append(Last.Step == 1 ? " step" : " steps");
        if (Data.Elapsed is { } elapsed) text.Append(" and ").Append(Figures.Duration(elapsed));
        if (ValidationLoss is { } loss)
        {
            text.Append(". On text it has not seen its loss is ").Append(Figures.Loss(loss)).Append(" nats per token");
            if (Data.BigramLoss is { } bigram)
            {
                text.Append(", ").Append(Figures.Loss(Math.Abs(bigram - loss))).Append(bigram > loss ? " below" : " above")
                    .Append(" that of a bigram model counted on the same tokens");
            }
        }

        return text.Append('.').ToString();
    }
}
