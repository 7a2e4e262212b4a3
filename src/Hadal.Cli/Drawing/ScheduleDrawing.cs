using System.Text;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;
using Spectre.Console;

namespace Hadal.Cli.Drawing;

/// <summary>A timeline in the terminal: a line for each rank, a column for each share of the step.</summary>
internal static class ScheduleDrawing
{
    /// <summary>What stands for each kind of operation where there are no colours, and its colours where there are.</summary>
    private static readonly (OperationKind Kind, char Letter, string Name, string[] Colors)[] _looks =
    [
        (OperationKind.Forward, 'F', "forward", ["white on dodgerblue3", "black on skyblue2"]),
        (OperationKind.Backward, 'B', "backward", ["white on darkorange3", "black on lightsalmon1"]),
        (OperationKind.ForwardAndBackward, 'X', "both, overlapped", ["white on purple_1", "black on mediumpurple1"]),
        (OperationKind.BackwardForInputs, 'b', "backward for inputs", ["white on deeppink4", "black on palevioletred1"]),
        (OperationKind.WeightGradient, 'W', "weight gradient", ["white on darkgreen", "black on darkseagreen3"]),
    ];

    /// <summary>The lines of the ranks as markup.</summary>
    /// <param name="timeline">The timeline.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <param name="colors">Whether colours are wanted; otherwise letters say what runs.</param>
    /// <returns>One for each rank, then one that says what is what.</returns>
    public static IEnumerable<string> Lines(Timeline timeline, int width, bool colors)
    {
        int names = timeline.Lanes.Max(l => l.Name.Length) + 1, columns = Math.Max(10, width - names - 1);
        foreach (var lane in timeline.Lanes) yield return $"[grey]{Markup.Escape(lane.Name.PadRight(names))}[/]{Line(lane, timeline.Duration, columns, colors)}";
        var kinds = timeline.Lanes.SelectMany(l => l.Spans).Select(s => s.Operation?.Kind).ToHashSet();
        yield return new string(' ', names) + string.Join("  ", _looks.Where(k => kinds.Contains(k.Kind)).Select(k => colors ? $"[{k.Colors[0]}] {k.Letter} [/] {k.Name}" : $"{k.Letter} {k.Name}").Append("· waiting"));
    }

    private static string Line(TimelineLane lane, double duration, int columns, bool colors)
    {
        var text = new StringBuilder();
        int span = 0, begun = -1, written = 0;
        for (int c = 0; c < columns; c++)
        {
            // A column shows what runs in its middle.
            double time = (c + 0.5) / columns * duration;
            while (span < lane.Spans.Count && lane.Spans[span].End <= time) span++;
            var operation = span < lane.Spans.Count && lane.Spans[span].Start <= time ? lane.Spans[span].Operation : null;
            if (operation is not { } o)
            {
                text.Append(colors ? "[grey]·[/]" : "·");
                continue;
            }

            if (begun != span) (begun, written) = (span, 0);
            var look = _looks.First(l => l.Kind == o.Kind);
            string number = $"{o.Chunk.MicroBatch}";
            double wide = lane.Spans[span].Duration / duration * columns;
            char shown = !colors ? look.Letter : wide >= number.Length + 1 && written < number.Length ? number[written] : ' ';
            written++;
            text.Append(colors ? $"[{look.Colors[o.Chunk.Direction]}]{shown}[/]" : shown);
        }

        return text.ToString();
    }
}
