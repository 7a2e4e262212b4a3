using System.Globalization;
using System.Text;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Training.Studies;
using Spectre.Console;

namespace Hadal.Cli.Ablation;

/// <summary>The figures of a study as rows and columns: one spelling for the terminal, for Markdown and for the page.</summary>
internal sealed class StudyTable
{
    private StudyTable(IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) => (Headers, Rows) = (headers, rows);

    /// <summary>Names of the columns; the first is that of the variants.</summary>
    public IReadOnlyList<string> Headers { get; }

    /// <summary>One row a variant.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows { get; }

    /// <summary>Makes the table; columns that no variant has something for are left out.</summary>
    public static StudyTable Of(StudyResult result)
    {
        (string Header, Func<VariantResult, string?> Cell)[] columns =
        [
            (result.Varied ?? "variant", v => v.Name == result.Baseline ? v.Name + " (baseline)" : v.Name),
            ("validation loss", v => Of(v.ValidationLoss, Nats)),
            ("against baseline", v => v.Name == result.Baseline ? null : Of(v.ValidationDifference, Signed)),
            ("training loss", v => Of(v.TrainLoss, Nats)),
            ("curves apart, 2nd half", v => Pair(v.MeanCurveDifferenceSecondHalf, v.CurveDifferenceSecondHalf)),
            ("last tenth", v => Pair(v.MeanCurveDifferenceLastTenth, v.CurveDifferenceLastTenth)),
            ("s/step", v => v.SecondsPerStep is { } seconds ? Of(seconds, SecondsLike(seconds.Mean)) : null),
            ("MaxVio", v => Of(v.MaxViolation, Figures.Number)),
            ("planned memory", v => v.PlannedMemoryBytes is { } bytes ? Figures.Bytes(bytes) : null),
            ("runs", v => Runs(v, result.Seeds.Count)),
        ];
        var shown = columns.Where(c => result.Variants.Any(v => c.Cell(v) is not null)).ToList();
        return new StudyTable([.. shown.Select(c => c.Header)], [.. result.Variants.Select(v => (IReadOnlyList<string>)[.. shown.Select(c => c.Cell(v) ?? Figures.Unknown)])]);
    }

    /// <summary>What the columns are, in a sentence or two.</summary>
    public static string Explain(StudyResult result)
    {
        string seeds = result.Seeds.Count == 1 ? $"One seed ({result.Seeds[0]})" : $"{result.Seeds.Count} seeds ({string.Join(", ", result.Seeds)})";
        string baseline = result.Variants.Count > 1 ? $" \"Against baseline\" is the difference of the validation loss to {result.Baseline}, paired by seed. " +
            "\"Curves apart\" is the largest difference of the smoothed training losses (moving average that keeps 0.9) over the second half, \"last tenth\" the same over " +
            "the end: first of the mean over the seeds, then of the worst seed." : "";
        return $"{seeds}, {Figures.Count(result.TokensPerRun)} tokens a run, losses in nats per token, ± standard deviation over the seeds.{baseline}";
    }

    /// <summary>A table of Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        AppendRow(Headers);
        AppendRow([.. Headers.Select((_, i) => i == 0 ? "---" : "---:")]);
        foreach (var row in Rows) AppendRow(row);
        return text.ToString();

        void AppendRow(IReadOnlyList<string> cells) => text.Append("| ").AppendJoin(" | ", cells.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
    }

    /// <summary>Writes the table to standard output: drawn on a screen, in plain columns elsewhere.</summary>
    public void Write(CommandContext context)
    {
        if (context.Streams.OutIsTerminal)
        {
            var table = new Table().Border(TableBorder.Rounded);
            for (int i = 0; i < Headers.Count; i++)
            {
                var column = new TableColumn(new Text(Headers[i]));
                table.AddColumn(i == 0 ? column : column.RightAligned());
            }

            foreach (var row in Rows) table.AddRow(row.Select(c => new Text(c)));
            context.Out.Write(table);
            return;
        }

        int[] widths = [.. Headers.Select((h, i) => Math.Max(h.Length, Rows.Max(r => r[i].Length)))];
        foreach (var row in Rows.Prepend(Headers))
            context.Streams.Out.WriteLine(string.Join("  ", row.Select((c, i) => i == 0 ? c.PadRight(widths[i]) : c.PadLeft(widths[i]))).TrimEnd());
    }

    internal static string Nats(double loss) => loss.ToString("0.0000", CultureInfo.InvariantCulture);

    /// <summary>Seconds with as many digits as suit a mean, for the mean and what belongs to it.</summary>
    internal static Func<double, string> SecondsLike(double mean) => seconds => seconds.ToString(mean < 0.995 ? "0.0000" : mean < 99.5 ? "0.00" : "0", CultureInfo.InvariantCulture);

    private static string Signed(double share) => (share * 100).ToString("+0.000;-0.000;0.000", CultureInfo.InvariantCulture) + "%";

    private static string Share(double? share) => share is { } value && double.IsFinite(value) ? (value * 100).ToString("0.000", CultureInfo.InvariantCulture) + "%" : Figures.Unknown;

    private static string? Pair(double? mean, double? worst) => mean is null ? null : $"{Share(mean)}, {Share(worst)}";

    private static string? Of(Spread? spread, Func<double, string> spelled)
    {
        if (spread is null) return null;
        return spread.Count == 1 ? spelled(spread.Mean) : $"{spelled(spread.Mean)} ± {spelled(spread.Deviation).TrimStart('+')}";
    }

    private static string Runs(VariantResult variant, int seeds)
    {
        int complete = variant.Runs.Count(r => r.Complete);
        var text = new StringBuilder(complete == seeds ? Invariant(seeds) : $"{complete} of {seeds}");
        if (variant.Diverged > 0) text.Append(", ").Append(variant.Diverged).Append(" diverged");
        if (variant.SkippedSteps > 0) text.Append(", ").Append(variant.SkippedSteps).Append(variant.SkippedSteps == 1 ? " step skipped" : " steps skipped");
        return text.ToString();
    }

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);
}
