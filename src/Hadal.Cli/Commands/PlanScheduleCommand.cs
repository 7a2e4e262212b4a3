using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Reports.Timelines;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Simulation;
using Hadal.Parallel.Timelines;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal plan schedule</c>: the operations of a pipeline schedule, when they would run, and what they keep.</summary>
internal sealed class PlanScheduleCommand : HadalCommand
{
    private readonly Option<ScheduleKind> _kind = new("--kind")
    {
        Description = $"The schedule: {string.Join(", ", ScheduleNames.All)}.",
        HelpName = "K",
        Required = true,
        CustomParser = result =>
        {
            string name = result.Tokens[0].Value;
            if (ScheduleNames.All.Contains(name, StringComparer.OrdinalIgnoreCase)) return ScheduleNames.Parse(name);
            result.AddError($"--kind is \"{name}\", but has to be one of {string.Join(", ", ScheduleNames.All)}.");
            return default;
        },
    };

    private readonly Option<int> _ranks = Numbers.RequiredWhole("--ranks", "Ranks of the pipeline.", 1, Schedule.MostRanks);
    private readonly Option<int> _microBatches = Numbers.RequiredWhole("--micro-batches", "Micro-batches of a step.", 1, Schedule.MostMicroBatches);
    private readonly Option<double> _forward = Cost("--forward", "What a forward takes, in any unit.", 1);
    private readonly Option<double> _backward = Cost("--backward", "What a whole backward takes.", 2);
    private readonly Option<double> _weights = Cost("--weights", "What of the backward the weight gradient takes.", 1);
    private readonly Option<double?> _pair = new("--pair")
    {
        Description = "What an overlapped forward and backward takes; the sum of both if it is left out.",
        HelpName = "T",
        CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out double value) && value > 0 && double.IsFinite(value)) return value;
            result.AddError($"--pair is \"{result.Tokens[0].Value}\", but has to be a number above 0.");
            return null;
        },
    };

    private readonly Option<double> _message = Numbers.Real("--message", "What passing a chunk on to the next rank takes.", 0, "T", "of at least 0", v => v >= 0 && double.IsFinite(v));
    private readonly Option<string?> _view = PlanOptions.View();
    private readonly Option<string?> _saveTrace = PlanOptions.SaveTrace();

    public PlanScheduleCommand()
        : base("schedule", "Show the operations of a pipeline schedule, when each would run, and the bubble and activations that follow.",
            "hadal plan schedule --kind dualpipe --ranks 8 --micro-batches 20",
            "hadal plan schedule --kind zb1p --ranks 4 --micro-batches 12 --json",
            "hadal plan schedule --kind dualpipev --ranks 4 --micro-batches 8 --pair 2.5 --view schedule.html")
    {
        foreach (Option option in new Option[] { _kind, _ranks, _microBatches, _forward, _backward, _weights, _pair, _message, _view, _saveTrace }) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        double forward = context.Get(_forward), backward = context.Get(_backward), weights = context.Get(_weights);
        if (weights >= backward) throw new MistakeException($"--weights is {weights}, but the weight gradient is a part of the backward, which takes {backward}");
        var schedule = Schedule.Create(context.Get(_kind), context.Get(_ranks), context.Get(_microBatches));
        var message = new MessageCosts(0, context.Get(_message), 1);
        var costs = ScheduleCosts.Uniform(schedule.Layout.Stages, StageCosts.Of(forward, backward, weights), context.Find(_pair) ?? forward + backward, message);
        var timeline = ScheduleSimulator.Simulate(schedule, costs);
        PlanOptions.WriteTimeline(context, context.Find(_view), context.Find(_saveTrace), new TimelinePageData(timeline, Lead(forward, backward, weights, costs.Pair(0, 0), message.Bytes))
        {
            Layout = schedule.Layout,
            InSeconds = false,
        });
        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(schedule, timeline));
        else Draw(context, schedule, timeline);
        return ExitCodes.Success;
    }

    private static Option<double> Cost(string name, string description, double ordinary) => Numbers.Real(name, description, ordinary, "T", "above 0", v => v > 0 && double.IsFinite(v));

    private static string Lead(double forward, double backward, double weights, double pair, double message) =>
        FormattableString.Invariant($"Simulated: a forward takes {forward}, a backward {backward} of which the weight gradient is {weights}, an overlapped pair {pair}, a message {message}.");

    private static JsonObject ToJson(Schedule schedule, Timeline timeline) => new()
    {
        ["kind"] = schedule.Kind.Name(),
        ["micro_batches"] = schedule.MicroBatches,
        ["stages"] = schedule.Layout.Stages,
        ["ranks"] = new JsonArray([.. schedule.Ranks.Select(r => JsonOutput.Array(r.Steps.Select(s => s.Operation.ToString())))]),
        ["timeline"] = JsonOutput.Array(schedule.Ranks.Select(r => r.ToString())),
        ["duration"] = JsonOutput.Number(timeline.Duration),
        ["bubble_fraction"] = JsonOutput.Number(timeline.BubbleFraction),
        ["bubbles"] = JsonOutput.Array(Enumerable.Range(0, timeline.Lanes.Count).Select(timeline.Bubble)),
        ["peak_activations"] = JsonOutput.Array(timeline.Lanes.Select(l => l.Activations.Peak)),
    };

    private static void Draw(CommandContext context, Schedule schedule, Timeline timeline)
    {
        if (context.Streams.OutIsTerminal)
        {
            foreach (string line in ScheduleDrawing.Lines(timeline, context.Out.Profile.Width, context.Streams.Colors)) context.Out.MarkupLine(line);
            context.Streams.Out.WriteLine();
        }
        else
        {
            foreach (var rank in schedule.Ranks) context.Streams.Out.WriteLine(rank);
        }

        double[] bubbles = [.. Enumerable.Range(0, timeline.Lanes.Count).Select(timeline.Bubble)];
        int[] peaks = [.. timeline.Lanes.Select(l => l.Activations.Peak)];
        new FactSheet(timeline.Title)
            .Add("step", Figures.Number(timeline.Duration))
            .Add("bubble", $"{Figures.Percent(timeline.BubbleFraction)} of the ranks' time, {Range(bubbles.Min(), bubbles.Max())} a rank")
            .Add("activations", $"{Range(peaks.Min(), peaks.Max())} chunks at most on a rank")
            .Write(context);
    }

    private static string Range(double least, double most) => Math.Abs(most - least) < 1e-9 * Math.Max(1, most) ? Figures.Number(most) : $"{Figures.Number(least)} to {Figures.Number(most)}";
}
