using System.Globalization;
using System.Xml.Linq;
using Hadal.Cli.Drawing;
using Hadal.Data.Pipeline;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Pipeline.Work;
using Hadal.Model.Checkpoints;

namespace Hadal.Cli.Reports;

/// <summary>A data build as a self-contained page: what each stage kept and dropped and why, with examples, and what the tokens are made of.</summary>
internal static class DataReport
{
    /// <summary>Writes the page; a file that is there is replaced when the new one is complete.</summary>
    /// <param name="path">The page's file name; its folder must exist.</param>
    /// <param name="result">The build.</param>
    public static void Write(string path, DataBuildResult result)
    {
        var main = new XElement("main",
            new XElement("header",
                HtmlPage.Element("p", "kind", "Data build"),
                new XElement("h1", Path.GetFileName(result.Folder.TrimEnd(Path.DirectorySeparatorChar))),
                HtmlPage.Element("p", "lead", Describe(result))),
            Stages(result.Stages),
            Rules(result.Stages),
            Groups(result),
            Samples(result.Samples),
            new XElement("h2", "Recipe"),
            HtmlPage.Element("div", "command", new XElement("pre", result.Recipe)),
            new XElement("footer", "Written by Hadal. Every document that went is a line of removed.jsonl; what could not be read is in problems.jsonl."));
        AtomicFile.Write(path, stream => HtmlPage.Write(stream, "Data build", PageStyle.Sheet + Sheet, main));
    }

    private const string Sheet = """

        .bar { display: flex; width: 100%; min-width: 180px; height: 14px; margin-top: 4px; background: var(--code); border-radius: 3px; overflow: hidden; }
        .bar i { display: block; height: 100%; }
        .stage td:first-of-type { width: 46%; white-space: normal; }
        details { margin-top: 10px; padding: 10px 16px; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
        summary { cursor: pointer; font-weight: 600; }
        summary .unit { margin-left: 8px; }
        .sample { margin: 12px 0 4px; color: var(--muted); font-size: 13px; overflow-wrap: anywhere; }
        .sample + pre { max-height: 15em; padding: 8px 10px; overflow: auto; background: var(--code); border-radius: 6px; font-size: 12.5px; line-height: 1.45; }
        pre.after { border-left: 3px solid var(--good); }
        @media print { .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }

        """;

    private static string Describe(DataBuildResult result)
    {
        var (first, last) = (result.Stages[0], result.Stages.Last(s => s.Stage is not "pack"));
        string text = $"{Figures.Whole(first.Out)} documents with {Figures.Bytes(first.Bytes)} of text were read; {Figures.Whole(last.Out)} with {Figures.Bytes(last.Bytes)} are left, {Share(last.Bytes, first.Bytes)} of the text.";
        if (result.Shards is { } shards)
            text += $" They are {Figures.Whole(shards.Tokens)} tokens in {Figures.Whole(shards.Rows)} rows of {Figures.Whole(shards.RowTokens)}, {Share(shards.Tokens, (double)shards.Rows * shards.RowTokens)} full.";
        double seconds = result.Stages.Sum(s => s.Seconds);
        return $"{text} All of it took {Figures.Duration(TimeSpan.FromSeconds(seconds))} of processor time, {Figures.Bytes(first.Bytes / Math.Max(seconds, 1e-3))} of text a second on one core.";
    }

    private static IEnumerable<XElement> Stages(IReadOnlyList<StageTally> stages)
    {
        double most = Math.Max(1, stages.Max(s => s.Stage == "pack" ? 0 : s.In));
        yield return new XElement("h2", "What became of the documents");
        yield return HtmlPage.Element("p", "explain", "A bar is what came to the stage, compared with what was read: blue went on, orange was dropped. Times are of all workers together.");
        yield return Table(["stage", "documents in and out", "in", "out", "dropped", "text out", "time"], [.. stages.Where(s => s.Stage != "pack").Select(s => (object?[])
        [
            s.Stage, Bar((s.Out / most, PageStyle.Main), ((s.In - s.Out) / most, PageStyle.Validation)), Figures.Whole(s.In), Figures.Whole(s.Out), s.In == s.Out ? "" : Figures.Whole(s.In - s.Out),
            Figures.Bytes(s.Bytes), Figures.Duration(TimeSpan.FromSeconds(s.Seconds)),
        ])], "stage");
    }

    private static IEnumerable<XElement> Rules(IReadOnlyList<StageTally> stages)
    {
        var rules = stages.SelectMany(s => s.Dropped.Select(d => (s.Stage, Rule: d.Key, Count: d.Value, What: "dropped"))
            .Concat((s.Changed ?? []).Select(c => (s.Stage, Rule: c.Key, Count: c.Value, What: "changed")))).ToList();
        if (rules.Count == 0) yield break;
        double mostDropped = rules.Where(r => r.What == "dropped").Select(r => r.Count).DefaultIfEmpty(1).Max(), mostChanged = rules.Where(r => r.What == "changed").Select(r => r.Count).DefaultIfEmpty(1).Max();
        yield return new XElement("h2", "Why, and what was changed");
        yield return HtmlPage.Element("p", "explain", "Orange: documents that a rule dropped. Green: places in documents that were changed. Each colour has its own scale.");
        yield return Table(["stage", "rule", "", "number", "what"], [.. rules.Select(r => (object?[])
        [
            r.Stage, Spelled(r.Rule), r.What == "dropped" ? Bar((r.Count / mostDropped, PageStyle.Validation)) : Bar((r.Count / mostChanged, PageStyle.Baseline)), Figures.Whole(r.Count), r.What,
        ])], "rules");
    }

    private static IEnumerable<XElement> Groups(DataBuildResult result)
    {
        if (result.Shards is not { } shards) yield break;
        double all = Math.Max(1, shards.Tokens);
        yield return new XElement("h2", "What the tokens are made of");
        yield return HtmlPage.Element("p", "explain", "Groups of the mixture, repetitions counted. A row is full when it has no padding.");
        yield return Table(["group", "share of the tokens", "tokens", "", "rows", "pieces of documents", "full"], [.. shards.Groups.Select((g, i) => (object?[])
        [
            g.Name, Bar((g.Tokens / all, PageStyle.Category(i))), Figures.Whole(g.Tokens), Share(g.Tokens, all), Figures.Whole(g.Rows), Figures.Whole(g.Pieces),
            Share(g.Tokens, (double)g.Rows * shards.RowTokens),
        ])], "groups");
    }

    private static IEnumerable<XElement> Samples(IReadOnlyList<Sample> samples)
    {
        if (samples.Count == 0) yield break;
        yield return new XElement("h2", "Examples");
        yield return HtmlPage.Element("p", "explain", "A few documents for each rule, chosen by chance: look here whether a rule takes what it should.");
        foreach (var rule in samples.GroupBy(s => (s.Stage, s.Rule)))
        {
            yield return new XElement("details",
                new XElement("summary", $"{rule.Key.Stage}: {Spelled(rule.Key.Rule)}", HtmlPage.Element("span", "unit", $"{rule.Count()} {(rule.Count() == 1 ? "example" : "examples")}")),
                rule.SelectMany(s => (XElement?[])
                [
                    HtmlPage.Element("p", "sample", string.Join(" · ", ((string?[])[s.Id, s.Source, s.Language, s.Detail]).Where(t => !string.IsNullOrEmpty(t)))),
                    HtmlPage.Element("pre", "text", s.Text),
                    s.After is null ? null : HtmlPage.Element("pre", "text after", s.After),
                ]));
        }
    }

    private static string Spelled(string rule) => rule.Replace('_', ' ');

    private static string Share(double part, double whole) => whole == 0 ? Figures.Unknown : (part / whole).ToString("0.0 %", CultureInfo.InvariantCulture);

    private static XElement Bar(params (double Share, string Color)[] pieces) => HtmlPage.Element("div", "bar", pieces.Where(p => p.Share > 0).Select(p =>
        new XElement("i", new XAttribute("style", string.Create(CultureInfo.InvariantCulture, $"width:{100 * p.Share:0.###}%;background:{p.Color}")))));

    private static XElement Table(IReadOnlyList<string> headers, IReadOnlyList<object?[]> rows, string kind) => HtmlPage.Element("div", "card wide-table", new XElement("table",
        new XAttribute("class", kind),
        new XElement("thead", new XElement("tr", headers.Select(h => new XElement("th", new XAttribute("scope", "col"), h)))),
        new XElement("tbody", rows.Select(row => new XElement("tr", new XElement("th", new XAttribute("scope", "row"), row[0]), row.Skip(1).Select(cell => new XElement("td", cell)))))));
}
