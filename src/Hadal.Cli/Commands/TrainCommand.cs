using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Model.Tokenization;
using Hadal.Numerics;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal train</c>: trains what a run file describes.</summary>
internal sealed class TrainCommand : HadalCommand
{
    private readonly Option<string> _config = new("--config") { Description = "The run file.", HelpName = "FILE", Required = true };
    private readonly Option<string> _out = new("--out") { Description = "The folder of the run: checkpoints, metrics.jsonl, and model/ at the end.", HelpName = "DIR", Required = true };
    private readonly Option<bool> _resume = new("--resume") { Description = "Insist on a checkpoint to go on from. (Where there is one, the run goes on from it anyway.)" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only show what the run would need." };
    private readonly Option<int> _threads = CommonOptions.Threads();

    public TrainCommand()
        : base("train", "Train a model as a run file says. The same command goes on where the last one stopped.",
            "hadal train --config run.json --out runs/first", "hadal train --config run.json --out runs/first --dry-run",
            "hadal train --config quickstart/run.json --out runs/longer")
    {
        foreach (var option in (Option[])[_config, _out, _resume, _dryRun, _threads]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        string folder = context.Get(_out);
        if (File.Exists(folder)) throw new MistakeException($"{folder} is a file; --out has to name a folder");
        var file = RunFile.Load(context.Get(_config), folder);
        if (context.Get(_dryRun)) return ShowPlan(context, file);
        var place = RunFolder.Look(folder, file.Run);
        if (place == RunFolderState.OtherRun)
            throw new MistakeException($"{folder} belongs to a run with another model, data, batch or schedule; choose another --out, use {Path.Combine(folder, "run.json")}, or delete the folder");
        if (place == RunFolderState.Complete)
        {
            context.Say($"This run is complete: {file.Run.Steps} of {file.Run.Steps} steps.");
            ShowResult(context, folder, MetricsLog.Read(Path.Combine(folder, "metrics.jsonl")), tokensPerSecond: null);
            return ExitCodes.Success;
        }

        Train(context, file, folder);
        return ExitCodes.Success;
    }

    private void Train(CommandContext context, RunFile file, string folder)
    {
        MemoryRoom.Require(RunPlan.Of(file.Run, file.Model).MemoryBytes, "The run", "a smaller model, sequence_length or micro_batch_sequences takes less");
        int threads = context.Get(_threads);
        var tokenizer = Tokenizer.Load(file.TokenizerPath);
        var data = TrainingData.Load(context, file.Run, file.Model, tokenizer, TrainingText.Open(file.Run.Data, file.Folder), threads);
        context.Say(data.Describe());
        using var backend = new CpuBackend(threads);
        using var run = new TrainingRun(
            file.Run, file.Model, folder, backend, data.Training, data.Validation, data.ValidationMicroBatches,
            TokenizerFiles.Find(file.TokenizerPath, Path.Combine(folder, "tokenizer")))
        {
            Warned = sentence => context.Say("warning: " + sentence),
        };
        if (run.Resume()) context.Say($"Going on behind step {run.StepsDone} of {file.Run.Steps}.");
        else if (context.Get(_resume)) throw new MistakeException($"{folder} has no checkpoint to go on from; leave out --resume to start at the first step");
        int first = run.StepsDone;
        long started = Stopwatch.GetTimestamp();
        try
        {
            using var view = LiveTrainingView.Start(context.Error, $"training {folder}", file.Run.Steps);
            run.Run(view.Report, context.Cancellation);
            view.Complete();
        }
        catch (OperationCanceledException)
        {
            throw new StoppedException(run.StepsDone == 0
                ? "Stopped before the first step; there was nothing to keep."
                : $"Stopped after step {run.StepsDone} of {file.Run.Steps}; a checkpoint is in {Path.Combine(folder, "checkpoints")}. The same command goes on from there.",
                context.Cancellation);
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        ShowResult(context, folder, MetricsLog.Read(run.MetricsFile), (file.Run.TokensAfter(run.StepsDone) - file.Run.TokensAfter(first)) / seconds);
    }

    private static int ShowPlan(CommandContext context, RunFile file)
    {
        var plan = RunPlan.Of(file.Run, file.Model);
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["parameters"] = plan.Parameters,
                ["active_parameters"] = plan.ActiveParameters,
                ["memory_bytes"] = plan.MemoryBytes,
                ["flops_per_token"] = plan.FlopsPerToken,
                ["steps"] = file.Run.Steps,
                ["tokens"] = file.Run.Tokens,
            });
            return ExitCodes.Success;
        }

        double flops = plan.FlopsPerToken * file.Run.Tokens;
        new FactSheet("The run would need")
            .Add("parameters", $"{Figures.Whole(plan.Parameters)} ({Figures.Whole(plan.ActiveParameters)} active per token)")
            .Add("memory", $"about {Figures.Bytes(plan.MemoryBytes)}")
            .Add("tokens", $"{Figures.Whole(file.Run.Tokens)} in {Figures.Whole(file.Run.Steps)} steps")
            .Add("arithmetic", $"{Figures.Count(plan.FlopsPerToken)}FLOP per token, {Figures.Number(flops)} FLOP in all")
            .Write(context);
        return ExitCodes.Success;
    }

    private static void ShowResult(CommandContext context, string folder, IReadOnlyList<StepMetrics> metrics, double? tokensPerSecond)
    {
        var last = metrics[^1];
        string model = Path.Combine(folder, "model");
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["model"] = model,
                ["steps"] = last.Step,
                ["tokens"] = last.Tokens,
                ["loss"] = JsonOutput.Number(last.Loss),
                ["main_loss"] = JsonOutput.Number(last.MainLoss),
                ["validation_loss"] = JsonOutput.Number(last.ValidationLoss),
                ["tokens_per_second"] = JsonOutput.Number(tokensPerSecond),
            });
            return;
        }

        string validation = last.ValidationLoss is { } loss ? $", {Figures.Loss(loss)} on the validation text" : "";
        context.Streams.Out.WriteLine($"{Figures.Whole(last.Step)} steps, {Figures.Whole(last.Tokens)} tokens; loss {Figures.Loss(last.MainLoss)}{validation}.");
        context.Streams.Out.WriteLine($"The model is in {model}. Try it: hadal generate {model} --prompt \"…\"");
    }
}
