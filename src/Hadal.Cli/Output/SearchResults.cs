using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Planning.Plans;
using Hadal.Planning.Search;
using Hadal.Planning.Training;
using Spectre.Console;

namespace Hadal.Cli.Output;

/// <summary>Proposed layouts as <c>hadal plan --search</c> shows them.</summary>
internal static class SearchResults
{
    public static JsonObject ToJson(LayoutProposal proposal) => new()
    {
        ["layouts"] = new JsonArray([.. proposal.Best.Select(f => new JsonObject
        {
            ["layout"] = Layout(f.Plan.Layout),
            ["step_seconds"] = JsonOutput.Number(f.StepSeconds),
            ["tokens_per_day"] = JsonOutput.Number(f.TokensPerDay),
            ["mfu"] = JsonOutput.Number(f.ModelFlopsUtilization),
            ["bubble_fraction"] = JsonOutput.Number(f.Timeline.BubbleFraction),
            ["memory_bytes"] = JsonOutput.Number(f.Memory.Total),
            ["dollars"] = JsonOutput.Number(f.Dollars),
        })]),
        ["fitting"] = proposal.Fitting,
        ["fallen"] = new JsonArray([.. proposal.Fallen.Select(f => new JsonObject { ["reason"] = f.Reason, ["count"] = f.Count, ["example"] = Layout(f.Example), ["sentence"] = f.Sentence })]),
    };

    public static void Write(CommandContext context, LayoutProposal proposal)
    {
        var output = context.Streams.Out;
        output.WriteLine(proposal.Fitting == 0 ? "No layout fits." : $"{proposal.Fitting} layouts fit; the fastest:");
        if (context.Streams.OutIsTerminal)
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("schedule", "pipeline", "experts over", "computed again").AddColumns([.. ((string[])["step", "MFU", "bubble", "memory", "tokens a day"]).Select(h => new TableColumn(h).RightAligned())]);
            foreach (var f in proposal.Best) table.AddRow([.. Cells(f).Select(c => new Text(c))]);
            context.Out.Write(table);
        }
        else
        {
            foreach (var f in proposal.Best) output.WriteLine("  " + string.Join(", ", Cells(f)));
        }

        output.WriteLine("Why the others fall:");
        foreach (var f in proposal.Fallen) output.WriteLine($"  {f.Count} × {f.Reason}. The nearest ({Name(f.Example)}): {f.Sentence}.");
    }

    private static string[] Cells(TrainingForecast f) =>
    [
        f.Plan.Layout.Schedule, $"{f.Plan.Layout.Pipeline}", $"{f.Plan.Layout.Experts}", Recomputed(f.Plan.Layout.Recompute), FormattableString.Invariant($"{f.StepSeconds:0.00} s"),
        Figures.Percent(f.ModelFlopsUtilization), Figures.Percent(f.Timeline.BubbleFraction), Figures.Bytes(f.Memory.Total), Figures.Count(f.TokensPerDay),
    ];

    private static string Name(TrainingLayout l) => $"{l.Schedule} on {l.Pipeline}, experts over {l.Experts}, computed again: {Recomputed(l.Recompute)}";

    private static string Recomputed(Recomputation recompute) => recompute switch { Recomputation.None => "nothing", Recomputation.UpProjections => "norms and up-projections", _ => "whole layers" };

    private static JsonObject Layout(TrainingLayout l) => new()
    {
        ["devices"] = l.Devices,
        ["pipeline"] = l.Pipeline,
        ["experts"] = l.Experts,
        ["schedule"] = l.Schedule,
        ["sequences_per_micro_batch"] = l.SequencesPerMicroBatch,
        ["recompute"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(l.Recompute.ToString()),
        ["precision"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(l.Precision.ToString()),
        ["shard_optimizer"] = l.ShardOptimizer,
    };
}
