using System.Xml.Linq;
using Hadal.Cli.Drawing;
using Hadal.Model.Checkpoints;

namespace Hadal.Cli.Reports;

/// <summary>A training run as a self-contained page: figures, curves, expert load, samples, settings. It needs neither a network nor scripts.</summary>
public static class TrainingReport
{
    private const int MostSamples = 50;
    private const int MostSampleCharacters = 4000;

    /// <summary>Writes the page; a file that is there is replaced when the new one is complete.</summary>
    /// <param name="path">The page's file name; its folder must exist.</param>
    /// <param name="data">What to show. Long runs are thinned: 100,000 steps stay below 2 MB.</param>
    /// <exception cref="IOException">The file cannot be written; nothing is left behind.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, TrainingReportData data)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(data);
        var run = new ReportedRun(data);
        var main = new XElement("main",
            Header(run),
            Tiles(run),
            TrainingCharts.Sections(run),
            Samples(data),
            Tables(data),
            Command(data),
            new XElement("footer", "Written by Hadal. Every number behind the curves is in metrics.jsonl, one line a step."));
        AtomicFile.Write(path, stream => HtmlPage.Write(stream, data.Title, PageStyle.Sheet, main));
    }

    private static XElement Header(ReportedRun run) => new("header",
        HtmlPage.Element("p", "kind", "Training report"),
        new XElement("h1", run.Data.Title),
        HtmlPage.Element("p", "lead", run.Data.Summary ?? run.Describe()));

    private static XElement? Tiles(ReportedRun run)
    {
        var data = run.Data;
        var tiles = new List<XElement>();
        if (run.ValidationLoss is { } loss)
        {
            XElement? note = null;
            if (data.BigramLoss is { } bigram)
            {
                double gain = bigram - loss;
                note = Note(gain > 0 ? "good" : "bad", $"{Figures.Loss(Math.Abs(gain))} {(gain > 0 ? "below" : "above")} the bigram model's {Figures.Loss(bigram)} nats");
            }

            tiles.Add(Tile("Validation loss", Figures.Loss(loss), note ?? Note("nats per token")));
            tiles.Add(Tile("Validation perplexity", Figures.Number(Math.Exp(loss)), Note("as unsure as a fair choice among so many tokens")));
        }

        if (run.Last is { } last)
        {
            var first = run.Steps[0];
            tiles.Add(Tile("Training loss at the end", Figures.Loss(run.FinalTrainingLoss),
                Note(first == last ? null : $"from {Figures.Loss(first.MainLoss)} at step {Figures.Whole(first.Step)}")));
            tiles.Add(Tile("Tokens trained on", Figures.Count(last.Tokens), Note($"in {Figures.Whole(last.Step)} {(last.Step == 1 ? "step" : "steps")}")));
        }

        if (data.Parameters is { } parameters)
        {
            tiles.Add(Tile("Parameters", Figures.Count(parameters), data.ActiveParameters is { } active
                ? Note($"{Figures.Count(active)} work on each token ({Figures.Percent((double)active / parameters)})")
                : null));
        }

        if (run.TokensPerSecond is { } speed)
            tiles.Add(Tile("Training, tokens/s", Figures.Rate(speed), Note(data.Elapsed is { } time ? $"for {Figures.Duration(time)}" : "mean over the run")));
        if (run.ModelFlopsUtilization is { } utilization)
            tiles.Add(Tile("MFU", Figures.Percent(utilization), Note("of the speed of this machine's matrix product, median")));
        if (run.MaxViolation is { } violation)
            tiles.Add(Tile("MaxVio at the end", Figures.Number(violation), Note("excess load of the busiest expert in any layer; 0 is even")));
        if (data.AcceptanceRate is { } rate)
            tiles.Add(Tile("MTP drafts accepted", Figures.Percent(rate), Note("guesses of the MTP module that the model confirmed")));
        else if (run.Steps.LastOrDefault(s => s.ValidationAcceptance is { Length: > 0 })?.ValidationAcceptance is { } shares)
            tiles.Add(Tile("MTP drafts accepted", Figures.Percent(shares[0]), Note("places of the validation text where module and model would write the same token")));
        if (data.DecodeTokensPerSecond is { } plain)
        {
            tiles.Add(Tile("Decoding, tokens/s", Figures.Rate(plain), Note("one token at a time")));
            if (data.DecodeTokensPerSecondSpeculative is { } drafted)
            {
                var gain = plain > 0 ? Note(drafted >= plain ? "good" : null, $"{Figures.Number(drafted / plain)} times the plain speed") : null;
                tiles.Add(Tile("Decoding with MTP drafts", Figures.Rate(drafted), gain));
            }
        }

        return tiles.Count == 0 ? null : HtmlPage.Element("div", "tiles", tiles);
    }

    private static XElement Tile(string name, string value, XElement? note) =>
        HtmlPage.Element("div", "tile", HtmlPage.Element("span", "name", name), HtmlPage.Element("span", "value", value), note);

    private static XElement? Note(string? text) => text is null ? null : HtmlPage.Element("span", "note", text);

    private static XElement Note(string? kind, string text) => HtmlPage.Element("span", kind is null ? "note" : "note " + kind, text);

    private static IEnumerable<XElement> Samples(TrainingReportData data)
    {
        if (data.Samples.Count == 0) yield break;
        yield return new XElement("h2", "What it writes");
        bool drafted = data.Samples.Any(s => s.TextSpeculative is not null);
        yield return HtmlPage.Element("p", "explain",
            "The model continues the marked text." + (drafted
                ? " Each prompt is completed twice: one token at a time, and with the MTP module guessing ahead while the model checks its guesses. " +
                  "Checking changes the speed, not the words."
                : ""));
        yield return HtmlPage.Element("div", "pair", data.Samples.Take(MostSamples).Select(Sample));
        if (data.Samples.Count > MostSamples) yield return HtmlPage.Element("p", "other", $"{data.Samples.Count - MostSamples} more are not shown.");
    }

    private static XElement Sample(ReportSample sample)
    {
        var facts = new List<XElement>();
        bool drafted = sample.TextSpeculative is not null;
        bool same = drafted && string.Equals(sample.Text, sample.TextSpeculative, StringComparison.Ordinal);
        if (drafted) facts.Add(HtmlPage.Element("li", same ? "good" : "bad", same ? "same text with drafts" : "different text with drafts"));
        if (sample.AcceptanceRate is { } rate) facts.Add(new XElement("li", $"{Figures.Percent(rate)} of drafts accepted"));
        if (sample.TokensPerSecond is { } plain)
            facts.Add(new XElement("li", Figures.Rate(plain, "tokens") + (sample.TokensPerSecondSpeculative is null ? "" : " plain")));
        if (sample.TokensPerSecondSpeculative is { } fast) facts.Add(new XElement("li", Figures.Rate(fast, "tokens") + " with drafts"));

        return HtmlPage.Element("article", "card",
            Text(sample.Prompt, sample.Text),
            drafted && !same ? new[] { HtmlPage.Element("p", "other", "With drafts:"), Text(sample.Prompt, sample.TextSpeculative!) } : null,
            facts.Count > 0 ? HtmlPage.Element("ul", "facts", facts) : null);
    }

    private static XElement Text(string prompt, string text) =>
        HtmlPage.Element("pre", "text", HtmlPage.Element("span", "prompt", Shorten(prompt)), new XElement("span", Shorten(text)));

    private static string Shorten(string text)
    {
        if (text.Length <= MostSampleCharacters) return text;
        int end = char.IsHighSurrogate(text[MostSampleCharacters - 1]) ? MostSampleCharacters - 1 : MostSampleCharacters;
        return $"{text[..end]} … ({Figures.Whole(text.Length - end)} more characters)";
    }

    private static XElement? Tables(TrainingReportData data)
    {
        var tables = new[] { Table("The model", data.Shape), Table("Settings of the run", data.Settings) }.Where(t => t is not null).ToList();
        return tables.Count == 0 ? null : HtmlPage.Element("div", "tables", tables);
    }

    private static XElement? Table(string title, IReadOnlyList<ReportRow> rows)
    {
        if (rows.Count == 0) return null;
        return new XElement("section",
            new XElement("h2", title),
            HtmlPage.Element("div", "card", new XElement("table", new XElement("tbody", rows.Select(row => new XElement("tr",
                new XElement("th", new XAttribute("scope", "row"), row.Name),
                new XElement("td", row.Value, row.Note is null ? null : HtmlPage.Element("span", "note", row.Note))))))));
    }

    private static IEnumerable<XElement> Command(TrainingReportData data)
    {
        if (string.IsNullOrWhiteSpace(data.Command)) yield break;
        yield return new XElement("h2", "Do it again");
        yield return HtmlPage.Element("p", "explain",
            "The same command with the same data gives the same losses, bit for bit, unless it is the clock that ends the run.");
        yield return HtmlPage.Element("pre", "command", new XElement("code", data.Command));
    }
}
