using System.Text.Json;
using System.Xml.Linq;
using Hadal.Cli.Ablation;
using Hadal.Cli.Drawing;
using Hadal.Model.Checkpoints;
using Hadal.Training.Studies;

namespace Hadal.Cli.Reports;

/// <summary>A study as a self-contained page: final losses and times with their spread, curves, differences to the baseline, tables.</summary>
internal static class StudyReport
{
    /// <summary>Writes the page; a file that is there is replaced when the new one is complete.</summary>
    /// <param name="path">The page's file name; its folder must exist.</param>
    /// <param name="study">The study.</param>
    /// <param name="result">What it found so far.</param>
    /// <param name="observations">The runs behind it.</param>
    public static void Write(string path, Study study, StudyResult result, IReadOnlyList<StudyObservation> observations)
    {
        var main = new XElement("main",
            new XElement("header",
                HtmlPage.Element("p", "kind", "Study"),
                new XElement("h1", result.Title),
                HtmlPage.Element("p", "lead", Describe(result))),
            Summary(study, result),
            new StudyCharts(study, result, observations).Sections(),
            Runs(study, result),
            new XElement("footer", "Written by Hadal. The figures are in results.json, every number behind the curves is in metrics.jsonl of the run's folder."));
        AtomicFile.Write(path, stream => HtmlPage.Write(stream, result.Title, PageStyle.Sheet, main));
    }

    private static string Describe(StudyResult result)
    {
        string what = result.Varied is { } field ? $"{result.Variants.Count} values of {field}" : $"{result.Variants.Count} variants";
        string seeds = result.Seeds.Count == 1 ? "one seed" : $"{result.Seeds.Count} seeds each";
        string sofar = result.CompleteRuns < result.Runs ? $" So far {result.CompleteRuns} of {result.Runs} runs are complete." : "";
        return $"{what}, {seeds}, {Figures.Count(result.TokensPerRun)} tokens a run, all on the same text.{sofar}";
    }

    private static IEnumerable<XElement> Summary(Study study, StudyResult result)
    {
        var table = StudyTable.Of(result);
        yield return Table(table.Headers, table.Rows, result.Variants.Select(v => StudyCharts.Color(study, v.Name)));
        yield return HtmlPage.Element("p", "other", StudyTable.Explain(result));
    }

    private static IEnumerable<XElement> Runs(Study study, StudyResult result)
    {
        if (result.Varied is null)
        {
            yield return new XElement("h2", "What differs");
            yield return HtmlPage.Element("div", "card", new XElement("table", new XElement("tbody", result.Variants.Select(v => new XElement("tr",
                new XElement("th", new XAttribute("scope", "row"), v.Name),
                new XElement("td", v.Settings.Count == 0 ? "the base run" : string.Join(", ", v.Settings.Select(s => $"{s.Key}: {s.Value?.ToJsonString(_relaxed) ?? "left out"}"))))))));
        }

        var rows = result.Variants.SelectMany(v => v.Runs.Select(r => (Variant: v, Run: r))).ToList();
        if (rows.Count == 0) yield break;
        yield return new XElement("h2", "Every run");
        yield return Table(
            ["variant", "seed", "steps", "validation loss", "training loss", "s/step", "MaxVio", "remark"],
            [.. rows.Select(r => (IReadOnlyList<string>)
            [
                r.Variant.Name, $"{r.Run.Seed}", Figures.Whole(r.Run.Steps), Nats(r.Run.ValidationLoss), Nats(r.Run.TrainLoss), Number(r.Run.SecondsPerStep), Number(r.Run.MaxViolation),
                r.Run.Stopped ?? (!r.Run.Complete ? "not at its end" : r.Run.Diverged ? "diverged" : r.Run.SkippedSteps > 0 ? $"{r.Run.SkippedSteps} steps skipped" : ""),
            ])],
            rows.Select(r => StudyCharts.Color(study, r.Variant.Name)));

        static string Nats(double? value) => value is { } v ? StudyTable.Nats(v) : Figures.Unknown;

        static string Number(double? value) => value is { } v ? Figures.Number(v) : Figures.Unknown;
    }

    private static readonly JsonSerializerOptions _relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static XElement Table(IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows, IEnumerable<string> colors) =>
        HtmlPage.Element("div", "card wide-table", new XElement("table",
            new XElement("thead", new XElement("tr", headers.Select(h => new XElement("th", new XAttribute("scope", "col"), h)))),
            new XElement("tbody", rows.Zip(colors, (row, color) => new XElement("tr",
                new XElement("th", new XAttribute("scope", "row"), new XElement("i", new XAttribute("class", "key"), new XAttribute("style", $"color:{color}")), row[0]),
                row.Skip(1).Select(cell => new XElement("td", cell)))))));
}
