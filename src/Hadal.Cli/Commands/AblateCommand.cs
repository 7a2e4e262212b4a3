using System.CommandLine;
using Hadal.Cli.Ablation;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Training.Runs;
using Hadal.Training.Studies;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal ablate</c>: runs that differ in one thing, over the same data and seeds, on one page.</summary>
internal sealed class AblateCommand : HadalCommand
{
    private readonly Argument<string> _file = new("STUDY")
    {
        Description = "The study file: {\"run\": \"run.json\", \"vary\": \"precision\", \"values\": [\"fp32\", \"bf16\"], \"seeds\": [1, 2, 3], \"baseline\": \"fp32\"}; "
            + "\"vary\" may name an inner field such as optimizer.learning_rate, and \"variants\": {\"name\": {fields}} stands for vary and values where fields belong together.",
    };

    private readonly Option<string> _out = new("--out")
    {
        Description = "The folder of the study: runs/VARIANT/seed-N/ as of hadal train, report.html, results.json, results.md.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<bool> _markdown = new("--markdown") { Description = "Print the result as a table of Markdown." };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only check every run and show what the study would compute." };
    private readonly Option<int> _threads = CommonOptions.Threads();

    public AblateCommand()
        : base("ablate", "Compare runs that differ in one thing, over the same data and several seeds. The same command goes on where the last one stopped.",
            "hadal ablate precision.json --out studies/precision", "hadal ablate precision.json --out studies/precision --dry-run",
            "hadal ablate balance.json --out studies/balance --markdown")
    {
        Arguments.Add(_file);
        foreach (var option in (Option[])[_out, _markdown, _dryRun, _threads]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        string folder = context.Get(_out);
        if (File.Exists(folder)) throw new MistakeException($"{folder} is a file; --out has to name a folder");
        var study = Study.Load(context.Get(_file));
        var execution = new StudyExecution(context, study, context.Get(_file), folder, context.Get(_threads));
        if (context.Get(_dryRun)) return ShowPlan(context, study, execution);
        var result = execution.Run();
        if (context.Json)
        {
            context.Streams.Out.Write(result.ToJson());
            return ExitCodes.Success;
        }

        if (context.Get(_markdown))
        {
            context.Streams.Out.Write(StudyExecution.Markdown(result));
        }
        else
        {
            StudyTable.Of(result).Write(context);
            context.Streams.Out.WriteLine(StudyTable.Explain(result));
        }

        context.Say($"The page is {execution.ReportFile}.");
        return ExitCodes.Success;
    }

    private static int ShowPlan(CommandContext context, Study study, StudyExecution execution)
    {
        var plans = study.Variants.Select((v, i) => (Variant: v, File: execution.Files[i], Plan: RunPlan.Of(execution.Files[i].Run, execution.Files[i].Model))).ToList();
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new()
            {
                ["runs"] = execution.Files.Count,
                ["runs_left"] = execution.Left,
                ["variants"] = new System.Text.Json.Nodes.JsonArray([.. plans.Select(p => new System.Text.Json.Nodes.JsonObject
                {
                    ["name"] = p.Variant.Name,
                    ["parameters"] = p.Plan.Parameters,
                    ["memory_bytes"] = p.Plan.MemoryBytes,
                    ["steps"] = p.File.Run.Steps,
                    ["tokens"] = p.File.Run.Tokens,
                })]),
            });
            return ExitCodes.Success;
        }

        var sheet = new FactSheet($"{execution.Files.Count} runs, {execution.Left} of them to do: {study.Variants.Count} variants, seeds {string.Join(", ", study.Seeds)}");
        foreach (var (variant, file, plan) in plans)
        {
            sheet.Add(variant.Name == study.Baseline ? variant.Name + " (baseline)" : variant.Name,
                $"{Figures.Count(plan.Parameters)} parameters, about {Figures.Bytes(plan.MemoryBytes)}, {Figures.Count(file.Run.Tokens)} tokens in {Figures.Whole(file.Run.Steps)} steps");
        }

        sheet.Write(context);
        return ExitCodes.Success;
    }
}
