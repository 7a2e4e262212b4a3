using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Cli.Quickstart;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal quickstart</c>: the whole system in a few minutes.</summary>
internal sealed class QuickstartCommand : HadalCommand
{
    private readonly Option<double> _minutes = Numbers.Real("--minutes", "How long to train.", 3, "M", "from 0.1 to 10,000", m => m is >= 0.1 and <= 10_000);
    private readonly Option<string[]> _data = new("--data")
    {
        Description = "Text to train on beside the documentation of the .NET SDK: a file or folder of .txt, .md, .jsonl; may be given several times.",
        HelpName = "PATH",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string> _out = new("--out") { Description = "Where everything goes.", HelpName = "DIR", DefaultValueFactory = _ => "quickstart" };
    private readonly Option<ulong?> _seed = Numbers.Seed("Seed of the fresh weights and of the order of the text; 1 if left out.");
    private readonly Option<int> _threads = CommonOptions.Threads();

    public QuickstartCommand()
        : base("quickstart", "See it all work: gather text, train a tokenizer and a small DeepSeek-V3 model, load it again, complete prompts, write a report.",
            "hadal quickstart", "hadal quickstart --minutes 10 --data notes/ --out my-first-model")
    {
        foreach (var option in (Option[])[_minutes, _data, _out, _seed, _threads]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        string folder = context.Get(_out);
        string[] data = context.Get(_data);
        double minutes = context.Get(_minutes);
        var run = new QuickstartRun(context, folder, data, TimeSpan.FromMinutes(minutes), context.Find(_seed) ?? 1, context.Get(_threads));
        var result = run.Run();
        string report = Path.Combine(folder, "report.html");
        string corpus = data.Length == 0 ? "the documentation of the .NET SDK" : $"the documentation of the .NET SDK and {string.Join(", ", data)}";
        QuickstartReport.Write(report, result, corpus, $"hadal train --config {Path.Combine(folder, "run.json")} --out again");
        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(result));
        else Show(context, result, folder, report);
        return ExitCodes.Success;
    }

    private static JsonObject ToJson(QuickstartResult result) => new()
    {
        ["steps"] = result.Last.Step,
        ["tokens"] = result.Last.Tokens,
        ["tokens_per_second"] = JsonOutput.Number(result.TokensPerSecond),
        ["train_loss"] = JsonOutput.Number(result.TrainLoss),
        ["validation_loss"] = JsonOutput.Number(result.ValidationLoss),
        ["bigram_loss"] = JsonOutput.Number(result.BigramLoss),
        ["max_violation"] = JsonOutput.Number(result.MaxViolation),
        ["acceptance_rate"] = JsonOutput.Number(result.AcceptanceRate),
        ["samples"] = JsonSerializer.SerializeToNode(result.Samples),
    };

    private static void Show(CommandContext context, QuickstartResult result, string folder, string report)
    {
        foreach (var sample in result.Samples)
        {
            context.Out.Write(new Text(sample.Prompt, new Style(decoration: Decoration.Bold)));
            context.Out.WriteLine(ScreenText.Harmless(sample.Text));
            string same = sample.Text == sample.TextSpeculative ? "the same text" : "ANOTHER text";
            context.Out.Write(new Text(
                $"  {Figures.Number(sample.TokensPerSecond)} tokens/s; with MTP drafts {Figures.Number(sample.TokensPerSecondSpeculative)} tokens/s, {Figures.Percent(sample.AcceptanceRate ?? 0)} of the drafts accepted, {same}\n\n",
                new Style(Color.Grey)));
        }

        string verdict = result.ValidationLoss < result.BigramLoss ? "below" : "not below";
        new FactSheet("Result")
            .Add("trained", $"{Figures.Whole(result.Last.Step)} steps, {Figures.Whole(result.Last.Tokens)} tokens, {Figures.Rate(result.TokensPerSecond, "tokens")}")
            .Add("validation loss", $"{Figures.Loss(result.ValidationLoss)} nats per token, {verdict} the {Figures.Loss(result.BigramLoss)} of a smoothed bigram model counted on the same training tokens")
            .Add("expert balance", $"MaxVio {result.MaxViolation:0.00} (0 is perfect balance, 15 is one expert doing everything)")
            .Add("MTP drafts", $"{Figures.Percent(result.AcceptanceRate)} accepted")
            .Add("report", report)
            .Write(context);
        context.Out.WriteLine($"Go on with it: hadal generate {Path.Combine(folder, "model")} --prompt \"Gets the\"");
    }
}
