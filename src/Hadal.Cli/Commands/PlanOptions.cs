using System.CommandLine;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Cli.Reports.Timelines;
using Hadal.Cli.Wiring;
using Hadal.Model.Checkpoints;
using Hadal.Parallel.Timelines;

namespace Hadal.Cli.Commands;

/// <summary>What the commands that show a timeline share.</summary>
internal static class PlanOptions
{
    /// <summary>More than a browser draws while it is moved.</summary>
    private const int MostDrawn = 200_000;

    /// <summary>A fresh <c>--view</c>.</summary>
    public static Option<string?> View() => new("--view") { Description = "Write a page that draws the timeline to scale; it needs no network.", HelpName = "FILE" };

    /// <summary>A fresh <c>--save-trace</c>.</summary>
    public static Option<string?> SaveTrace() => new("--save-trace") { Description = "Write the timeline as Chrome-trace JSON, which Perfetto opens too.", HelpName = "FILE" };

    /// <summary>Writes the page and the trace, if they are wanted, and says so.</summary>
    public static void WriteTimeline(CommandContext context, string? view, string? saveTrace, TimelinePageData data)
    {
        if (view is not null) OutputFile.Check(view, "--view");
        int drawn = data.Timeline.Lanes.Sum(l => l.Spans.Count);
        if (view is not null && drawn > MostDrawn) throw new MistakeException($"--view draws at most {MostDrawn} operations, and there are {drawn}; fewer micro-batches show the same pattern");
        if (saveTrace is not null)
        {
            AtomicFile.Write(OutputFile.Check(saveTrace, "--save-trace"), stream => ChromeTrace.Write(data.Timeline, stream));
            context.Say($"The trace is {saveTrace}.");
        }

        if (view is null) return;
        TimelinePage.Write(view, data);
        context.Say($"The page is {view}.");
    }
}
