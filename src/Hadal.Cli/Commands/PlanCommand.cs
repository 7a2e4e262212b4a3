using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Reports.Timelines;
using Hadal.Parallel.Timelines;
using Hadal.Planning.Plans;
using Hadal.Planning.Search;
using Hadal.Planning.Serving;
using Hadal.Planning.Training;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal plan</c>: what training or serving on many machines takes.</summary>
internal sealed class PlanCommand : HadalCommand
{
    private readonly Argument<string?> _plan = new("PLAN") { Description = "A plan: JSON with model, cluster and layout; what it leaves out is as in the preset.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _preset = new("--preset") { Description = $"A published deployment instead: {string.Join(", ", PlanPresets.Names)}.", HelpName = "NAME" };
    private readonly Option<bool> _search = new("--search") { Description = "Try other layouts of the same devices, and propose the fastest that fit." };
    private readonly Option<int> _proposals = Numbers.Whole("--proposals", "With --search: how many to propose.", 10, 1, 1000);
    private readonly Option<string?> _view = PlanOptions.View();
    private readonly Option<string?> _trace = new("--trace") { Description = "With --view: draw a recorded run instead, a file of Chrome-trace JSON whose events are named as operations, such as FB.0.3.1.1.", HelpName = "FILE" };
    private readonly Option<string?> _saveTrace = PlanOptions.SaveTrace();

    public PlanCommand()
        : base("plan", "Say what training or serving on many machines takes: time, memory, money, by simulating the real schedule.",
            "hadal plan --preset v3-h800",
            "hadal plan --preset v3-serving --json",
            "hadal plan my-plan.json --view step.html",
            "hadal plan my-plan.json --search",
            "hadal plan --trace run-trace.json --view run.html",
            "hadal plan schedule --kind dualpipe --ranks 8 --micro-batches 20")
    {
        Arguments.Add(_plan);
        foreach (Option option in new Option[] { _preset, _search, _proposals, _view, _trace, _saveTrace }) Options.Add(option);
        Subcommands.Add(new PlanScheduleCommand());
    }

    protected override int Run(CommandContext context)
    {
        if (context.Find(_trace) is { } trace) return DrawRecorded(context, trace);
        var (training, serving) = Read(context);
        if (training is not null) return context.Get(_search) ? Search(context, training) : Train(context, training);
        if (context.Get(_search) || context.Has(_view) || context.Has(_saveTrace)) throw new MistakeException("--search, --view and --save-trace go with a plan of training; this one is of serving");
        var forecast = ServingPlanner.Forecast(serving!);
        if (context.Json) JsonOutput.Write(context.Streams.Out, PlanResults.ToJson(forecast));
        else PlanResults.Write(context, forecast);
        return ExitCodes.Success;
    }

    private (TrainingPlan? Training, ServingPlan? Serving) Read(CommandContext context)
    {
        switch (context.Find(_plan), context.Find(_preset))
        {
            case ({ } path, null):
                if (!File.Exists(path)) throw new MistakeException($"There is no file {path}; PLAN is JSON with model, cluster and layout");
                return PlanFile.Read(path);
            case (null, { } name):
                if (name == PlanPresets.V3H800.Name) return (PlanPresets.V3H800, null);
                if (name == PlanPresets.V3Serving.Name) return (null, PlanPresets.V3Serving);
                throw new MistakeException($"'{name}' is no preset; the presets are {string.Join(", ", PlanPresets.Names)}");
            case (null, null) when context.Has(_view):
                context.Say($"No plan is named; the preset {PlanPresets.V3H800.Name} is drawn.");
                return (PlanPresets.V3H800, null);
            case (null, null):
                throw new MistakeException($"There is nothing to plan; give a PLAN, or --preset with {string.Join(" or ", PlanPresets.Names)}");
            default:
                throw new MistakeException("Both a PLAN and --preset are given; one of them can be planned");
        }
    }

    private int Train(CommandContext context, TrainingPlan plan)
    {
        var forecast = TrainingPlanner.ForecastThatFits(plan);
        PlanOptions.WriteTimeline(context, context.Find(_view), context.Find(_saveTrace), new TimelinePageData(forecast.Timeline, Lead(forecast))
        {
            Layout = forecast.Schedule.Layout,
            ChunkBytes = forecast.ChunkBytes,
            DeferredBytes = forecast.ChunkBytes,
        });
        var assumptions = TrainingAssumptions.Of(forecast);
        if (context.Json) JsonOutput.Write(context.Streams.Out, PlanResults.ToJson(forecast, assumptions));
        else PlanResults.Write(context, forecast, assumptions);
        return ExitCodes.Success;
    }

    private int Search(CommandContext context, TrainingPlan plan)
    {
        if (context.Has(_view) || context.Has(_saveTrace)) throw new MistakeException("--search draws no timeline; name the layout that is wanted in a PLAN and use --view with it");
        LayoutProposal proposal;
        using (var status = new StatusLine(context.Streams))
        {
            status.Show(() => "trying layouts …", now: true);
            proposal = LayoutSearch.Propose(plan, context.Get(_proposals), context.Cancellation);
        }

        if (context.Json) JsonOutput.Write(context.Streams.Out, SearchResults.ToJson(proposal));
        else SearchResults.Write(context, proposal);
        return ExitCodes.Success;
    }

    private int DrawRecorded(CommandContext context, string trace)
    {
        if (context.Find(_view) is not { } view) throw new MistakeException("--trace goes with --view, which names the page to write");
        if (context.Find(_plan) is not null || context.Has(_preset) || context.Has(_saveTrace) || context.Get(_search)) throw new MistakeException("--trace draws what was recorded; a plan, --preset, --search and --save-trace do not go with it");
        if (!File.Exists(trace)) throw new MistakeException($"There is no file {trace}; --trace takes Chrome-trace JSON");
        var timeline = ChromeTrace.Read(trace);
        PlanOptions.WriteTimeline(context, view, null, new TimelinePageData(timeline, $"Recorded: {Path.GetFileName(trace)}."));
        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(timeline));
        return ExitCodes.Success;
    }

    private static string Lead(TrainingForecast forecast) => FormattableString.Invariant(
        $"Simulated: one step of {forecast.Plan.Name} on {forecast.Plan.Layout.Devices:#,0} devices, {forecast.StepTokens / 1e6:0.0} million tokens. With gradients and optimizer it takes {forecast.StepSeconds:0.00} s; {Figures.Percent(forecast.PairExposedFraction)} of an overlapped pair is exposed communication.");

    private static JsonObject ToJson(Timeline timeline) => new()
    {
        ["title"] = timeline.Title,
        ["seconds"] = JsonOutput.Number(timeline.Duration),
        ["bubble_fraction"] = JsonOutput.Number(timeline.BubbleFraction),
        ["lanes"] = new JsonArray([.. timeline.Lanes.Select(l => new JsonObject { ["name"] = l.Name, ["busy_seconds"] = JsonOutput.Number(l.Busy), ["peak_activations"] = l.Activations.Peak })]),
    };
}
