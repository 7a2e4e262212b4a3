using System.CommandLine;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Reports;
using Hadal.Data.Pipeline;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Pipeline.Work;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal data build</c>: runs a recipe over raw files.</summary>
internal sealed class DataBuildCommand : HadalCommand
{
    private readonly Argument<string> _file = new("RECIPE")
    {
        Description = "The recipe: {\"inputs\": [\"texts/\", \"crawl.jsonl.gz\"], \"preset\": \"v3\", \"tokens\": {\"tokenizer\": \"tokenizer/\"}}; paths are relative to its folder.",
    };

    private readonly Option<string> _out = new("--out")
    {
        Description = "The folder of the result: report.html, stages.jsonl, removed.jsonl, samples.jsonl, problems.jsonl, and what the recipe asks for: documents.jsonl, exports/, shards/. The same command goes on where the last one stopped.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<int> _workers = Numbers.Whole("--workers", "Tasks at a time; 0 for one per processor.", 0, 0, 1024);

    private readonly Option<long?> _memory = Numbers.Bytes("--memory", "Memory that the build may use; left out, 1 GB, or more where the recipe allows very long documents. What does not fit is on the disk.");

    private readonly Option<WorkShare> _share = new("--share")
    {
        Description = "This process's share of a build that several do together over a common folder, from 0: each runs the same command with another I.",
        HelpName = "I/N",
        DefaultValueFactory = _ => WorkShare.All,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (WorkShare.TryParse(text, out var share)) return share;
            result.AddError($"--share is \"{text}\", but has to be such as 0/4, 1/4, 2/4 or 3/4.");
            return default;
        },
    };

    private readonly Option<int> _sample = Numbers.Whole("--sample", "Examples of what each rule drops or changes, shown at the end and kept in samples.jsonl; 0 for those that the recipe asks for, unshown.", 0, 0, 1000);

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only check the recipe, list the inputs and show what would be done." };

    public DataBuildCommand()
        : base("build", "Turn raw files into clean documents and packed rows of tokens: clean, judge, take out copies, mask, decontaminate, mix, encode, pack.",
            "hadal data build recipe.json --out data/", "hadal data build recipe.json --out data/ --dry-run", "hadal data build recipe.json --out /common/data --share 2/8")
    {
        Arguments.Add(_file);
        foreach (var option in (Option[])[_out, _workers, _memory, _share, _sample, _dryRun]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        string folder = context.Get(_out);
        if (File.Exists(folder)) throw new MistakeException($"{folder} is a file; --out has to name a folder");
        var recipe = DataRecipe.Load(context.Get(_file));
        if (context.Get(_sample) is var samples and > 0) recipe = recipe with { Samples = samples };
        var build = new DataBuild(recipe, folder);
        foreach (var problem in build.Skipped) context.Say($"Passed over {problem}.");
        if (context.Get(_dryRun)) return ShowPlan(context, recipe, build);

        int workers = context.Get(_workers) is var asked and > 0 ? asked : Environment.ProcessorCount;
        long memory = context.Find(_memory) ?? MemoryBudget.Default(recipe.MaximumDocumentBytes);
        MemoryBudget.Of(memory, recipe.MaximumDocumentBytes, workers, out int allowed);
        if (allowed < workers) context.Say($"{Figures.Bytes(memory)} of memory are enough for {allowed} {(allowed == 1 ? "worker" : "workers")}.");

        // Where this program is the process; in a process of others the heap is not ours alone.
        if (Assembly.GetEntryAssembly() == typeof(DataBuildCommand).Assembly) MemoryBudget.LimitProcess(memory);
        var clock = Stopwatch.StartNew();
        DataBuildResult result;
        using (var status = new StatusLine(context.Streams)) result = build.Run(workers, context.Get(_share), memory, new Shown(status), context.Cancellation);
        string page = Path.Combine(folder, "report.html");
        bool isFirst = context.Get(_share).Index == 0;
        if (isFirst) DataReport.Write(page, result);
        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(folder, result.Stages));
        else Write(context, result.Stages);
        if (context.Get(_sample) > 0 && !context.Json) WriteSamples(context, result.Samples);
        context.Say($"{Figures.Bytes(build.InputBytes)} of input in {Figures.Duration(clock.Elapsed)}; {(isFirst ? $"the page is {page}" : "the first share writes the page")}.");
        return ExitCodes.Success;
    }

    private static int ShowPlan(CommandContext context, DataRecipe recipe, DataBuild build)
    {
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject { ["files"] = build.Files, ["bytes"] = build.InputBytes, ["recipe"] = JsonNode.Parse(recipe.ToJson()) });
            return ExitCodes.Success;
        }

        context.Streams.Out.WriteLine($"{Figures.Whole(build.Files)} files, {Figures.Bytes(build.InputBytes)} on the disk, would be read. The recipe, with what it leaves out:");
        context.Streams.Out.WriteLine(recipe.ToJson());
        return ExitCodes.Success;
    }

    private static JsonObject ToJson(string folder, IReadOnlyList<StageTally> tallies) => new()
    {
        ["out"] = folder,
        ["stages"] = new JsonArray([.. tallies.Select(t => new JsonObject
        {
            ["stage"] = t.Stage,
            ["in"] = t.In,
            ["out"] = t.Out,
            ["dropped"] = new JsonObject(t.Dropped.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)d.Value))),
            ["bytes"] = t.Bytes,
            ["tokens"] = t.Tokens,
            ["rows"] = t.Rows,
            ["seconds"] = t.Seconds,
        })]),
    };

    private static void Write(CommandContext context, IReadOnlyList<StageTally> tallies)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("stage");
        bool hasTokens = tallies.Any(t => t.Tokens > 0);
        foreach (string column in (string[])["in", "out", "text", .. hasTokens ? (string[])["tokens", "rows"] : [], "time of all workers"]) table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("dropped");
        foreach (var t in tallies)
        {
            string dropped = string.Join(", ", t.Dropped.Select(d => $"{Figures.Whole(d.Value)} {d.Key.Replace('_', ' ')}"));
            string[] tokens = hasTokens ? [Unless0(t.Tokens), Unless0(t.Rows)] : [];
            table.AddRow([
                t.Stage, Figures.Whole(t.In), Figures.Whole(t.Out), t.Bytes == 0 ? "" : Figures.Bytes(t.Bytes), .. tokens,
                Figures.Duration(TimeSpan.FromSeconds(t.Seconds)), Markup.Escape(dropped)]);
        }

        context.Out.Write(table);

        static string Unless0(long number) => number == 0 ? "" : Figures.Whole(number);
    }

    private static void WriteSamples(CommandContext context, IReadOnlyList<Sample> samples)
    {
        foreach (var rule in samples.GroupBy(s => (s.Stage, s.Rule)))
        {
            context.Streams.Out.WriteLine();
            context.Streams.Out.WriteLine($"== {rule.Key.Stage}: {rule.Key.Rule.Replace('_', ' ')}");
            foreach (var s in rule)
            {
                context.Streams.Out.WriteLine($"-- {ScreenText.Harmless(string.Join(", ", ((string?[])[s.Id, s.Source, s.Language, s.Detail]).Where(t => !string.IsNullOrEmpty(t))))}");
                context.Streams.Out.WriteLine(ScreenText.Harmless(s.Text));
                if (s.After is { } after) context.Streams.Out.WriteLine($"=> {ScreenText.Harmless(after)}");
            }
        }
    }

    private sealed class Shown(StatusLine status) : IProgress<BuildProgress>
    {
        private readonly Stopwatch _clock = new();
        private string _stage = "";

        public void Report(BuildProgress value)
        {
            lock (_clock)
            {
                if (_stage != value.Stage) _clock.Restart();
                _stage = value.Stage;
                var elapsed = _clock.Elapsed;
                status.Show(() => Text(value, elapsed), now: true);
            }
        }

        private static string Text(BuildProgress p, TimeSpan elapsed)
        {
            double share = p.Total == 0 ? 1 : (double)p.Done / p.Total, here = p.Total == 0 ? 1 : (double)(p.Done - p.Before) / p.Total;
            string left = here > 0 && share < 1 ? $", {Figures.Clock(elapsed * ((1 - share) / here))} left of this stage" : "";
            return p.IsWaiting ? $"{p.Stage}: {Figures.Percent(share)}, waiting for other shares" : $"{p.Stage}: {Figures.Percent(share)}{left}";
        }
    }
}
