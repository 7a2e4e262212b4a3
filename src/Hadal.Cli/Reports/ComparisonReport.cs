using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Hadal.Cli.Ablation;
using Hadal.Cli.Drawing;
using Hadal.Cli.Reports.Charts;
using Hadal.Cli.Wiring;
using Hadal.Model.Checkpoints;
using Hadal.Training.Metrics;
using Hadal.Training.Studies;
using static Hadal.Cli.Reports.ChartCard;

namespace Hadal.Cli.Reports;

/// <summary>Several runs on one self-contained page: figures, curves over each other, and the settings that differ.</summary>
internal static class ComparisonReport
{
    private const int MostPoints = 400;
    private const string LeftOut = "left out";

    /// <summary>Writes the page; a file that is there is replaced when the new one is complete.</summary>
    /// <param name="path">The page's file name; its folder must exist.</param>
    /// <param name="runs">At least two runs, each with a step.</param>
    public static void Write(string path, IReadOnlyList<RunRecord> runs)
    {
        string title = $"{runs.Count} runs";
        var main = new XElement("main",
            new XElement("header",
                HtmlPage.Element("p", "kind", "Comparison"),
                new XElement("h1", string.Join(", ", runs.Select(r => r.Name))),
                HtmlPage.Element("p", "lead", $"{title}, {Figures.Count(runs.Sum(r => (double)r.Steps[^1].Tokens))} tokens together. Curves of one colour are of one run, on every chart.")),
            Summary(runs),
            Charts(runs),
            Settings(runs),
            new XElement("footer", "Written by Hadal. Every number behind the curves is in metrics.jsonl of each run, one line a step."));
        AtomicFile.Write(path, stream => HtmlPage.Write(stream, title, PageStyle.Sheet, main));
    }

    /// <summary>The settings that are not the same in all runs: field, and its value in each.</summary>
    internal static List<(string Field, string[] Values)> Differences(IReadOnlyList<RunRecord> runs)
    {
        var settings = runs.Select(r =>
        {
            // Paths are relative to the folder of their run.
            var run = r.Run with
            {
                Tokenizer = Path.GetFullPath(r.Run.Tokenizer, Path.GetFullPath(r.Folder)),
                Data = [.. r.Run.Data.Select(d => d == TrainingText.DotnetDocumentationName ? d : Path.GetFullPath(d, Path.GetFullPath(r.Folder)))],
            };
            var fields = new Dictionary<string, string>(StringComparer.Ordinal);
            Flatten("", JsonNode.Parse(run.ToJson())!.AsObject(), fields);
            return fields;
        }).ToList();
        return [.. settings.SelectMany(s => s.Keys).Distinct()
            .Select(field => (field, settings.Select(s => s.GetValueOrDefault(field, LeftOut)).ToArray()))
            .Where(row => row.Item2.Distinct(StringComparer.Ordinal).Count() > 1)];
    }

    private static void Flatten(string prefix, JsonObject node, Dictionary<string, string> fields)
    {
        foreach (var (name, value) in node)
        {
            if (value is JsonObject inner) Flatten($"{prefix}{name}.", inner, fields);
            else fields[prefix + name] = value is JsonValue text && text.TryGetValue(out string? plain) ? plain : value?.ToJsonString() ?? LeftOut;
        }
    }

    private static XElement Summary(IReadOnlyList<RunRecord> runs)
    {
        (string Header, Func<RunRecord, string?> Cell)[] columns =
        [
            ("state", r => r.State),
            ("steps", r => $"{Figures.Whole(r.Steps[^1].Step)} of {Figures.Whole(r.Run.Steps)}"),
            ("tokens", r => Figures.Count(r.Steps[^1].Tokens)),
            ("validation loss", r => r.Steps.LastOrDefault(s => s.ValidationLoss is not null)?.ValidationLoss is { } loss ? StudyTable.Nats(loss) : null),
            ("training loss, smoothed", r => StudyTable.Nats(LossCurve.Smooth(r.Steps)[^1])),
            ("tokens/s", r => Figures.Rate(Median(r.Steps.Select(s => s.TokensPerSecond)))),
            ("MFU", r => r.Steps.Any(s => s.ModelFlopsUtilization is not null) ? Figures.Percent(Median(r.Steps.Select(s => s.ModelFlopsUtilization ?? double.NaN))) : null),
            ("MaxVio", r => r.Steps[^1].MaxViolation.Length > 0 ? Figures.Number(r.Steps[^1].MaxViolation.Max()) : null),
            ("skipped steps", r => r.Steps.Count(s => s.Skipped is not null) is > 0 and var skipped ? Figures.Whole(skipped) : null),
        ];
        var shown = columns.Where(c => runs.Any(r => c.Cell(r) is not null)).ToList();
        return Table(["run", .. shown.Select(c => c.Header)], [.. runs.Select(r => (IReadOnlyList<string>)[r.Name, .. shown.Select(c => c.Cell(r) ?? Figures.Unknown)])], colored: true);
    }

    private static IEnumerable<XElement> Charts(IReadOnlyList<RunRecord> runs)
    {
        yield return new XElement("h2", "What they learned");
        yield return HtmlPage.Element("p", "explain", "Loss of the next token: on the training text as a moving average that keeps 0.9 of itself at every step, and on text that was held back.");
        yield return Chart(runs, "Training loss, smoothed", "nats per token", Loss, false, r => CurvePoints.Of(LossCurve.Smooth(r.Steps), r.Steps[0].Step, MostPoints), 340);
        if (runs.Any(r => r.Steps.Any(s => s.ValidationLoss is not null)))
        {
            yield return Chart(runs, "Validation loss", "nats per token", Loss, false,
                r => [.. TrainingCharts.Thin([.. r.Steps.Where(s => s.ValidationLoss is { } v && double.IsFinite(v)).Select(s => (s.Step, s.ValidationLoss!.Value))], 100).Select(p => new StepPoint(p.Step, p.Value, p.Value, p.Value))]);
        }

        yield return new XElement("h2", "How they went");
        var norms = runs.SelectMany(r => r.Steps).Select(s => s.GradNorm).Where(v => v > 0 && double.IsFinite(v)).DefaultIfEmpty(1).ToList();
        bool logarithmic = norms.Max() / norms.Min() > 20;
        yield return Chart(runs, "Gradient norm", logarithmic ? "before clipping, logarithmic" : "before clipping", Figures.Number, !logarithmic, r => Reduce(r, s => s.GradNorm > 0 ? s.GradNorm : double.NaN), logarithmic: logarithmic);
        if (runs.Any(r => r.Steps[^1].MaxViolation.Length > 0))
            yield return Chart(runs, "MaxVio, worst layer", "largest load / even share − 1", Figures.Number, true, r => Reduce(r, s => s.MaxViolation.DefaultIfEmpty(double.NaN).Max()));
        yield return Chart(runs, "Speed", "tokens/s", SvgDrawing.Label, true, r => Reduce(r, s => s.TokensPerSecond > 0 ? s.TokensPerSecond : double.NaN));

        static string Loss(double v) => v.ToString("0.###", CultureInfo.InvariantCulture);

        static StepPoint[] Reduce(RunRecord run, Func<StepMetrics, double> value) => new StepBuckets(run.Steps, MostPoints / 2).Reduce(value);
    }

    private static XElement Chart(
        IReadOnlyList<RunRecord> runs, string title, string unit, Func<double, string> label, bool fromZero, Func<RunRecord, StepPoint[]> curve, double height = 260, bool logarithmic = false)
    {
        int last = runs.Max(r => r.Steps[^1].Step), first = runs.Min(r => r.Steps[0].Step);
        string id = new string([.. title.Where(char.IsAsciiLetter)]).ToLowerInvariant();
        return Figure(title, unit, [.. runs.Select((r, i) => Key(r.Name, PageStyle.Category(i)))], null, Draw(1040, height, $"{id}-").As("wide"), Draw(420, 260, $"{id}-narrow-").As("narrow"));

        XElement Draw(double width, double tall, string prefix)
        {
            var chart = new StepChart(first, last, label, logarithmic);
            for (int i = 0; i < runs.Count; i++)
            {
                var points = curve(runs[i]);
                if (points.Length > 0) chart.AddCurve(points, PageStyle.Category(i));
            }

            return chart.Draw(width, tall, fromZero, $"{title} of the runs over the steps", prefix);
        }
    }

    private static IEnumerable<XElement> Settings(IReadOnlyList<RunRecord> runs)
    {
        yield return new XElement("h2", "What differs");
        var rows = Differences(runs);
        if (rows.Count == 0) yield return HtmlPage.Element("p", "explain", "Nothing: the run files say the same.");
        else yield return Table(["setting", .. runs.Select(r => r.Name)], [.. rows.Select(r => (IReadOnlyList<string>)[r.Field, .. r.Values])], colored: false);
    }

    private static XElement Table(IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows, bool colored) =>
        HtmlPage.Element("div", "card wide-table", new XElement("table",
            new XElement("thead", new XElement("tr", headers.Select(h => new XElement("th", new XAttribute("scope", "col"), h)))),
            new XElement("tbody", rows.Select((row, i) => new XElement("tr",
                new XElement("th", new XAttribute("scope", "row"),
                    colored ? new XElement("i", new XAttribute("class", "key"), new XAttribute("style", $"color:{PageStyle.Category(i)}")) : null, row[0]),
                row.Skip(1).Select(cell => new XElement("td", cell)))))));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Where(double.IsFinite).Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
