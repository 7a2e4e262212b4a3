using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Reports.Timelines;
using Hadal.Parallel.Timelines;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal plan</c>: what training on many machines takes.</summary>
internal sealed class PlanCommand : HadalCommand
{
    private readonly Option<string?> _view = PlanOptions.View();
    private readonly Option<string?> _trace = new("--trace") { Description = "Draw a recorded run instead: a file of Chrome-trace JSON whose events are named as operations, such as FB.0.3.1.1.", HelpName = "FILE" };

    public PlanCommand()
        : base("plan", "Draw the timeline of a recorded run.", "hadal plan --trace run-trace.json --view run.html", "hadal plan schedule --kind dualpipe --ranks 8 --micro-batches 20")
    {
        foreach (Option option in new Option[] { _view, _trace }) Options.Add(option);
        Subcommands.Add(new PlanScheduleCommand());
    }

    protected override int Run(CommandContext context)
    {
        if (context.Find(_trace) is not { } trace) throw new MistakeException("There is nothing to draw; --trace names a recorded run");
        if (context.Find(_view) is not { } view) throw new MistakeException("--trace goes with --view, which names the page to write");
        if (!File.Exists(trace)) throw new MistakeException($"There is no file {trace}; --trace takes Chrome-trace JSON");
        var timeline = ChromeTrace.Read(trace);
        PlanOptions.WriteTimeline(context, view, null, new TimelinePageData(timeline, $"Recorded: {Path.GetFileName(trace)}."));
        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(timeline));
        return ExitCodes.Success;
    }

    private static JsonObject ToJson(Timeline timeline) => new()
    {
        ["title"] = timeline.Title,
        ["seconds"] = JsonOutput.Number(timeline.Duration),
        ["bubble_fraction"] = JsonOutput.Number(timeline.BubbleFraction),
        ["lanes"] = new JsonArray([.. timeline.Lanes.Select(l => new JsonObject { ["name"] = l.Name, ["busy_seconds"] = JsonOutput.Number(l.Busy), ["peak_activations"] = l.Activations.Peak })]),
    };
}
