using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Cli.Monitoring;
using Hadal.Cli.Output;
using Hadal.Cli.Reports;
using Hadal.Cli.Wiring;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal report</c>: one page about a run, or one that compares several.</summary>
internal sealed class ReportCommand : HadalCommand
{
    private const int MostRuns = 32;
    private readonly Argument<string[]> _runs = new("RUN") { Description = "Folders of runs, each the --out of hadal train; runs may still be going.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _out = new("--out") { Description = "The page.", HelpName = "FILE", DefaultValueFactory = _ => "report.html" };

    public ReportCommand()
        : base("report", "Write a page about a run, or one that compares several: losses, gradient norms, speed, balance of the experts, settings that differ.",
            "hadal report runs/first", "hadal report runs/bf16 runs/fp8 --out precision.html")
    {
        Arguments.Add(_runs);
        Options.Add(_out);
    }

    protected override int Run(CommandContext context)
    {
        string[] paths = context.Get(_runs);
        if (paths.Length > MostRuns) throw new MistakeException($"There are {paths.Length} runs, but a page can tell at most {MostRuns} apart");
        if (paths.DistinctBy(p => Path.TrimEndingDirectorySeparator(Path.GetFullPath(p)), StringComparer.Ordinal).Count() < paths.Length) throw new MistakeException("A run is named twice");
        string page = OutputFile.Check(context.Get(_out));
        var runs = RunRecord.Open(paths);
        if (runs.FirstOrDefault(r => r.Steps.Count == 0) is { } empty) throw new MistakeException($"{empty.Folder} has no step in its metrics.jsonl yet; there is nothing to show");
        if (runs.Count == 1) WriteSingle(page, runs[0]);
        else ComparisonReport.Write(page, runs);
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["report"] = page,
                ["runs"] = new JsonArray([.. runs.Select(r => RunStatus.Of(r).ToJson(r.Folder))]),
            });
            return ExitCodes.Success;
        }

        context.Streams.Out.WriteLine($"The page is {page}.");
        return ExitCodes.Success;
    }

    private static void WriteSingle(string page, RunRecord run)
    {
        var model = run.Model;
        var status = RunStatus.Of(run);
        TrainingReport.Write(page, new TrainingReportData
        {
            Title = run.Name,
            Steps = run.Steps,
            Elapsed = status.Elapsed,
            Parameters = model?.ParameterCount + model?.MtpParameterCount,
            ActiveParameters = model?.ActiveParameterCount,
            FirstExpertLayer = model?.DenseLayers,
            Shape = model is null ? [] : RunRows.Shape(model),
            Settings = [new ReportRow("State", status.State, status.Sentence(run.Name)), .. RunRows.Settings(run.Run, run.Steps[^1].Step)],
            Command = $"hadal train --config {Path.Combine(run.Folder, "run.json")} --out again",
        });
    }
}
