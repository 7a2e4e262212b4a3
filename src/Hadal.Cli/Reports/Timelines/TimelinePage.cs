using System.Globalization;
using System.Reflection;
using System.Xml.Linq;
using Hadal.Cli.Drawing;
using Hadal.Model.Checkpoints;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;

namespace Hadal.Cli.Reports.Timelines;

/// <summary>A self-contained page that draws the timeline of a pipeline's step to scale, simulated or recorded.</summary>
internal static class TimelinePage
{
    /// <summary>Writes the page; a file that is there is replaced when the new one is complete.</summary>
    /// <param name="path">The page's file name; its folder must exist.</param>
    /// <param name="data">What it shows.</param>
    public static void Write(string path, TimelinePageData data)
    {
        var timeline = data.Timeline;
        var main = new XElement("main",
            new XElement("header",
                HtmlPage.Element("p", "kind", "Pipeline schedule"),
                new XElement("h1", timeline.Title),
                HtmlPage.Element("p", "lead", data.Lead)),
            Tiles(data),
            new XElement("h2", "Timeline"),
            HtmlPage.Element("p", "explain", $"To scale. Numbers are micro-batches{(TimelineJson.Directions(data) > 1 ? "; darker colours are of direction 0, lighter ones of direction 1" : "")}. Below each rank, the activations that it keeps."),
            Drawing(timeline),
            Ranks(data),
            new XElement("footer", "Written by Hadal. The page loads nothing; it can be sent as it is."));
        AtomicFile.Write(path, stream => HtmlPage.WriteInteractive(stream, timeline.Title, PageStyle.Sheet + Resource("timeline.css"), TimelineJson.Of(data), Resource("timeline.js"), main));
    }

    private static XElement Tiles(TimelinePageData data)
    {
        var timeline = data.Timeline;
        var ranks = timeline.Lanes.Where(l => l.HasOperations).ToArray();
        var tiles = new List<XElement> { Tile("Step", data.Time(timeline.Duration), $"{ranks.Length} {(ranks.Length == 1 ? "rank" : "ranks")}, {Figures.Whole(ranks.Sum(l => (long)l.Spans.Count))} operations") };
        if (ranks.Length > 0)
        {
            int peak = ranks.Max(l => l.Activations.Peak);
            string least = data.Time(ranks.Min(l => timeline.Duration - l.Busy)), most = data.Time(ranks.Max(l => timeline.Duration - l.Busy));
            tiles.Add(Tile("Bubble", Figures.Percent(timeline.BubbleFraction), $"of the ranks' time: {(least == most ? "" : $"{least} to ")}{most} on each"));
            tiles.Add(Tile("Activations", $"{peak} {(peak == 1 ? "chunk" : "chunks")}", data.ChunkBytes > 0
                ? $"at most on a rank: {Figures.Bytes(ranks.Max(l => l.Activations.PeakBytes(data.ChunkBytes, data.DeferredBytes)))}" : "kept at most on a rank"));
            int pairs = ranks.Sum(l => l.Spans.Count(s => s.Operation?.Kind == OperationKind.ForwardAndBackward)), forwards = ranks.Sum(l => l.Spans.Count(s => s.Operation?.Forward is not null));
            if (pairs > 0) tiles.Add(Tile("Overlapped", Figures.Percent((double)pairs / forwards), "of the forwards run together with a backward"));
        }

        if (timeline.CriticalPath.Count > 0)
        {
            double computing = timeline.CriticalPath.Sum(p => timeline.Lanes[p.Lane].Spans[p.Span].Duration) / timeline.Duration;
            tiles.Add(Tile("Critical path", Figures.Percent(computing), $"of the step compute {timeline.CriticalPath.Count} operations on {timeline.CriticalPath.DistinctBy(p => p.Lane).Count()} ranks one after the other{(computing < 0.9995 ? "; messages take the rest" : "")}"));
        }

        return HtmlPage.Element("div", "tiles", tiles);
    }

    private static XElement Tile(string name, string value, string note) => HtmlPage.Element("div", "tile",
        HtmlPage.Element("span", "name", name), HtmlPage.Element("span", "value", value), HtmlPage.Element("span", "note", note));

    private static XElement Drawing(Timeline timeline)
    {
        var operations = timeline.Lanes.SelectMany(l => l.Spans).Select(s => s.Operation?.Kind).ToHashSet();
        (string Style, string Text, bool Shown)[] keys =
        [
            ("forward", "forward", operations.Contains(OperationKind.Forward)),
            ("backward", "backward", operations.Contains(OperationKind.Backward)),
            ("pair", "both, overlapped", operations.Contains(OperationKind.ForwardAndBackward)),
            ("inputs", "backward for inputs", operations.Contains(OperationKind.BackwardForInputs)),
            ("weights", "weight gradient", operations.Contains(OperationKind.WeightGradient)),
            ("other", "other", operations.Contains(null)),
            ("bubble", "bubble", true),
            ("memory", "activations, kept for weight gradients on top", true),
        ];
        return HtmlPage.Element("figure", "card",
            HtmlPage.Element("div", "tools",
                HtmlPage.Element("ul", "keys", keys.Where(k => k.Shown).Select(k => new XElement("li", HtmlPage.Element("i", k.Style), k.Text))),
                HtmlPage.Element("div", "buttons",
                    timeline.CriticalPath.Count == 0 ? null : Button("critical", "Critical path", "Show what the step's length hangs on", new XAttribute("aria-pressed", "false")),
                    Button("closer", "+", "Zoom in"), Button("wider", "−", "Zoom out"), Button("all", "Whole step", "Show the whole step"))),
            new XElement("div", new XAttribute("id", "stage"),
                new XElement("canvas", new XAttribute("id", "lanes"), new XAttribute("tabindex", "0"), new XAttribute("role", "application"),
                    new XAttribute("aria-label", "Timeline. Arrow keys left and right move, plus and minus zoom, full stop and comma go to the next and the previous operation, up and down to another rank.")),
                new XElement("div", new XAttribute("id", "details"), new XAttribute("role", "status"), new XAttribute("hidden", "hidden"))),
            new XElement("canvas", new XAttribute("id", "overview"), new XAttribute("aria-hidden", "true")),
            HtmlPage.Element("p", "hint", "Drag to move, double-click or Ctrl and wheel to zoom; a click lets the wheel alone zoom. Keys: ",
                Keys("←", "→"), " move, ", Keys("+", "−", "0"), " zoom, ", Keys(",", "."), " previous and next operation, ", Keys("↑", "↓"), " other rank. An operation shows where its micro-batch is on all ranks."));
    }

    private static IEnumerable<object> Keys(params string[] keys) => keys.SelectMany((k, i) => (object[])[i > 0 ? " " : "", new XElement("kbd", k)]);

    private static XElement Button(string id, string text, string title, params XAttribute[] more) =>
        new("button", new XAttribute("type", "button"), new XAttribute("id", id), new XAttribute("title", title), more, text);

    private static IEnumerable<XElement> Ranks(TimelinePageData data)
    {
        var timeline = data.Timeline;
        if (!timeline.Lanes.Any(l => l.HasOperations)) yield break;
        yield return new XElement("h2", "Ranks");
        yield return HtmlPage.Element("p", "explain", "What each rank did with the step: forwards, overlapped pairs, backwards, weight gradients; what is left is bubble.");
        yield return HtmlPage.Element("div", "card wide-table", new XElement("table",
            new XElement("thead", new XElement("tr", ((string[])["rank", "time", "busy", "bubble", "of the step", "activations kept at most"]).Select(h => new XElement("th", new XAttribute("scope", "col"), h)))),
            new XElement("tbody", timeline.Lanes.Where(l => l.HasOperations).Select(l => new XElement("tr",
                new XElement("th", new XAttribute("scope", "row"), l.Name),
                new XElement("td", Share(l, timeline.Duration)),
                new XElement("td", data.Time(l.Busy)),
                new XElement("td", data.Time(timeline.Duration - l.Busy)),
                new XElement("td", Figures.Percent(1 - l.Busy / timeline.Duration)),
                new XElement("td", data.ChunkBytes > 0
                    ? $"{l.Activations.Peak} chunks, {Figures.Bytes(l.Activations.PeakBytes(data.ChunkBytes, data.DeferredBytes))}" : $"{l.Activations.Peak} chunks"))))));
    }

    private static XElement Share(TimelineLane lane, double duration)
    {
        (OperationKind Kind, string Color)[] colors =
        [
            (OperationKind.Forward, "var(--forward-0)"), (OperationKind.ForwardAndBackward, "linear-gradient(var(--forward-0) 50%, var(--backward-1) 50%)"), (OperationKind.Backward, "var(--backward-0)"),
            (OperationKind.BackwardForInputs, "var(--inputs-0)"), (OperationKind.WeightGradient, "var(--weights)"),
        ];
        return HtmlPage.Element("div", "share", colors.Select(c => (c.Color, Part: lane.Spans.Where(s => s.Operation?.Kind == c.Kind).Sum(s => s.Duration) / duration)).Where(p => p.Part > 0)
            .Select(p => new XElement("i", new XAttribute("style", string.Create(CultureInfo.InvariantCulture, $"width:{100 * p.Part:0.###}%;background:{p.Color}")))));
    }

    private static string Resource(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("Hadal.Cli.Reports.Timelines." + name)!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
