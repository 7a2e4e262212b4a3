using Spectre.Console;
using Spectre.Console.Rendering;

namespace Hadal.Cli.Drawing;

/// <summary>One frame of the live view: progress, figures, loss curve, expert load, as much of it as the terminal has room for.</summary>
/// <param name="progress">What is known of the run; read under <paramref name="gate"/>.</param>
/// <param name="gate">Guards the progress.</param>
internal sealed class TrainingFrame(TrainingProgress progress, Lock gate) : Renderable
{
    private const int LabelWidth = 7;
    private const int MostPlotLines = 9;
    private const int MostLoadLines = 12;

    private static readonly Style _plain = Style.Plain;
    private static readonly Style _strong = new(decoration: Decoration.Bold);
    private static readonly Style _quiet = new(Color.Grey);
    private static readonly Style _curve = new(Color.DodgerBlue1);
    private static readonly Style _done = new(Color.Green);
    private static readonly Style _high = new(Color.Yellow);
    private static readonly Style _tooHigh = new(Color.Red);

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        lock (gate)
        {
            // The last column and the last line stay free: some terminals wrap or scroll when they are written.
            int width = Math.Clamp(maxWidth - 1, 1, 160);
            int height = Math.Max(1, options.ConsoleSize.Height - 1);
            var lines = new List<List<Segment>>();
            AddHeader(lines, width, options.Unicode);
            if (progress.Remark is { } remark) lines.Add([new Segment(remark.ReplaceLineEndings(" "), _quiet)]);
            AddFigures(lines, width, options.Unicode);
            AddDrawings(lines, width, height, options.Unicode);

            var segments = new List<Segment>();
            for (int i = 0; i < Math.Min(lines.Count, height); i++)
            {
                if (i > 0) segments.Add(Segment.LineBreak);
                segments.AddRange(Segment.Truncate(lines[i], width));
            }

            return segments;
        }
    }

    private void AddHeader(List<List<Segment>> lines, int width, bool unicode)
    {
        var last = progress.Last;
        string step = progress.Steps > 0 ? $"step {Figures.Whole(last?.Step ?? 0)} of {Figures.Whole(progress.Steps)}" : $"step {Figures.Whole(last?.Step ?? 0)}";
        int titleWidth = Math.Max(0, width - step.Length - 2);
        var title = Segment.Truncate(new Segment(progress.Title.ReplaceLineEndings(" "), _strong), titleWidth) ?? Segment.Empty;
        lines.Add([title, Segment.Padding(Math.Max(1, width - step.Length - title.CellCount())), new Segment(step, _quiet)]);

        string elapsed = Figures.Clock(progress.Elapsed);
        string end = progress.Outcome switch
        {
            TrainingOutcome.Complete => $"done in {elapsed}",
            TrainingOutcome.Stopped => $"stopped after {elapsed}",
            _ => progress.Left is { } left ? $"{elapsed}, {Figures.Clock(left)} left" : elapsed,
        };
        string percent = progress.Share is { } share ? $"{Math.Floor(share * 100),4:0}%  " : "";
        // The clock is given a fixed place, so that the bar does not jump as digits come and go.
        string right = percent + end.PadRight(18);
        int barWidth = width - right.Length - 1;
        if (barWidth < 8)
        {
            lines.Add([new Segment(percent.TrimStart() + end, _plain)]);
            return;
        }

        int filled = (int)Math.Round((progress.Share ?? 0) * barWidth);
        (char full, char empty) = unicode ? ('━', '─') : ('#', '-');
        lines.Add(
        [
            new Segment(new string(full, filled), progress.Outcome == TrainingOutcome.Stopped ? _high : progress.Outcome == TrainingOutcome.Complete ? _done : _curve),
            new Segment(new string(empty, barWidth - filled), _quiet),
            new Segment(" " + right, _plain),
        ]);
    }

    private void AddFigures(List<List<Segment>> lines, int width, bool unicode)
    {
        lines.Add([]);
        if (progress.Last is not { } last)
        {
            lines.Add([new Segment("waiting for the first step", _quiet)]);
            return;
        }

        List<(string Label, string Value)> figures =
        [
            ("loss", Figures.Loss(last.MainLoss)),
            ("validation", progress.ValidationLoss is { } v ? Figures.Loss(v) : Figures.Unknown),
        ];
        if (progress.BigramLoss is { } bigram) figures.Add(("bigram", Figures.Loss(bigram)));
        for (int i = 0; i < Math.Min(last.MtpLoss.Length, 2); i++) figures.Add((last.MtpLoss.Length == 1 ? "MTP loss" : $"MTP loss {i + 1}", Figures.Loss(last.MtpLoss[i])));
        if (progress.Acceptance is { } acceptance) figures.Add(("drafts accepted", Figures.Percent(acceptance)));
        figures.Add(("tokens/s", Figures.Rate(last.TokensPerSecond)));
        if (last.ModelFlopsUtilization is { } utilization) figures.Add(("MFU", Figures.Percent(utilization)));
        figures.Add(("tokens", Figures.Count(last.Tokens)));
        figures.Add(("learning rate", Figures.Number(last.LearningRate)));
        figures.Add(("gradient norm", Figures.Number(last.GradNorm)));

        // Columns of one width keep the figures still from frame to frame.
        const int LabelRoom = 13;
        const int ValueRoom = 7;
        int columns = Math.Clamp((width + 3) / (LabelRoom + ValueRoom + 4), 1, figures.Count);
        for (int first = 0; first < figures.Count; first += columns)
        {
            var line = new List<Segment>();
            for (int i = first; i < Math.Min(first + columns, figures.Count); i++)
            {
                if (i > first) line.Add(Segment.Padding(3));
                string value = unicode ? figures[i].Value : figures[i].Value.Replace(Figures.Unknown, "-", StringComparison.Ordinal);
                line.Add(new Segment(figures[i].Label.PadRight(LabelRoom) + " ", _quiet));
                line.Add(new Segment(value.PadLeft(ValueRoom), _strong));
            }

            lines.Add(line);
        }
    }

    private void AddDrawings(List<List<Segment>> lines, int width, int height, bool unicode)
    {
        if (progress.Last is not { } last) return;
        int layers = last.ExpertLoad is { Length: > 0 } ? last.ExpertLoad.Length : last.MaxViolation.Length;
        int left = height - lines.Count;
        // A drawing costs a blank line and a heading besides its own lines, the plot also a line for its axis.
        int loadLines = layers == 0 ? 0 : Math.Min(Math.Min(layers, MostLoadLines), Math.Max(1, left - (3 + 4) - 2));
        int plotLines = Math.Min(MostPlotLines, left - 3 - (loadLines > 0 ? loadLines + 2 : 0));
        if (plotLines >= 3 && progress.Losses.Count > 1 && width >= 20) AddPlot(lines, width, plotLines, unicode);
        loadLines = Math.Min(loadLines, height - lines.Count - 2);
        if (loadLines > 0) AddLoad(lines, width, loadLines, layers, unicode);
    }

    private void AddPlot(List<List<Segment>> lines, int width, int height, bool unicode)
    {
        int plotWidth = width - LabelWidth - 2;
        var losses = progress.Losses;
        var (rows, top, bottom) = TextPlot.Draw(losses.Count, i => losses[i], plotWidth, height, unicode);
        lines.Add([]);
        lines.Add([new Segment("loss of the next token, nats", _quiet)]);
        string side = unicode ? "│" : "|";
        for (int i = 0; i < rows.Length; i++)
        {
            string label = i == 0 ? Figures.Loss(top) : i == rows.Length - 1 && bottom < top ? Figures.Loss(bottom) : "";
            lines.Add([new Segment($"{label,LabelWidth} {side}", _quiet), new Segment(rows[i], _curve)]);
        }

        string first = Figures.Whole(progress.First!.Step);
        string now = Figures.Whole(progress.Last!.Step);
        string axis = (unicode ? "└" : "+") + " " + first;
        lines.Add([Segment.Padding(LabelWidth + 1), new Segment(axis + now.PadLeft(Math.Max(now.Length + 1, plotWidth + 1 - axis.Length)), _quiet)]);
    }

    private void AddLoad(List<List<Segment>> lines, int width, int room, int layers, bool unicode)
    {
        var last = progress.Last!;
        string[] names = ExpertLayers.Names(layers, last.MtpLoss.Length, null);
        int[] chosen = ExpertLayers.Choose(layers, room);
        int nameWidth = chosen.Max(i => names[i].Length);
        const string Violation = "  MaxVio ";
        int barWidth = width - nameWidth - 1 - Violation.Length - 5;

        string heading = last.ExpertLoad is null ? "balance of the experts" : "load of the experts, a full bar is twice an even share";
        if (chosen.Length < layers)
        {
            int worst = 0;
            for (int i = 1; i < last.MaxViolation.Length; i++)
            {
                if (last.MaxViolation[i] > last.MaxViolation[worst]) worst = i;
            }

            heading = $"{chosen.Length} of {layers} expert layers";
            if (worst < last.MaxViolation.Length) heading += $", highest MaxVio {Figures.Number(last.MaxViolation[worst])} in {names[worst]}";
        }

        lines.Add([]);
        lines.Add([new Segment(heading, _quiet)]);
        foreach (int layer in chosen)
        {
            var line = new List<Segment> { new(names[layer].PadRight(nameWidth) + " ", _plain) };
            int drawn = 0;
            if (last.ExpertLoad is { } load && layer < load.Length && barWidth >= 4)
            {
                foreach (var bar in LoadBars.Draw(load[layer], barWidth, unicode))
                {
                    line.Add(new Segment(bar.Text, bar.Load >= 2 ? _tooHigh : bar.Load >= 1.5 ? _high : _done));
                    drawn += bar.Text.Length;
                }

                line.Add(Segment.Padding(Math.Max(0, barWidth - drawn)));
            }

            if (layer < last.MaxViolation.Length)
            {
                double violation = last.MaxViolation[layer];
                line.Add(new Segment(Violation, _quiet));
                line.Add(new Segment(Figures.Number(violation).PadLeft(5), violation >= 1 ? _tooHigh : violation >= 0.5 ? _high : _done));
            }

            lines.Add(line);
        }
    }
}
