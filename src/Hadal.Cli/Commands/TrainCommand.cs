using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Monitoring;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Model.Checkpoints;
using Hadal.Numerics.Measurement;
using Hadal.Parallel.Training;
using Hadal.Training.Metrics;
using Hadal.Training.Presets;
using Hadal.Training.Runs;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal train</c>: trains what a run file describes.</summary>
internal sealed class TrainCommand : HadalCommand
{
    // At hidden 512 with 64 experts 60% were measured; smaller models reach less.
    private const double AssumedShare = 0.5;
    private readonly Option<string> _config = new("--config") { Description = "The run file.", HelpName = "FILE" };
    private readonly Option<string> _preset = new("--preset")
    {
        Description = $"A recipe instead of a run file: {string.Join("; ", RunPreset.All.Select(p => $"{p.Name} ({p.Description})"))}.",
        HelpName = "NAME",
    };
    private readonly Option<string[]> _data = new("--data")
    {
        Description = $"With --preset: text to train on, a file or folder of .txt, .md, .jsonl, or {TrainingText.DotnetDocumentationName}, or the folder of a hadal data build; may be given several times.",
        HelpName = "PATH",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string> _tokenizer = new("--tokenizer") { Description = "With --preset: a tokenizer.json or a folder with one.", HelpName = "PATH" };
    private readonly Option<string> _writeConfig = new("--write-config") { Description = "With --preset: only write the run file, to be changed and trained with --config.", HelpName = "FILE" };
    private readonly Option<string> _out = new("--out") { Description = "The folder of the run: checkpoints, metrics.jsonl, and model/ at the end.", HelpName = "DIR" };
    private readonly Option<bool> _resume = new("--resume") { Description = "Insist on a checkpoint to go on from. (Where there is one, the run goes on from it anyway.)" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only show what the run would need." };
    private readonly Option<int> _metricsPort = Numbers.Whole("--metrics-port", "While training, show Prometheus the run's figures at http://127.0.0.1:N/metrics; 0 for not at all.", 0, 0, 65535);
    private readonly Option<int> _threads = CommonOptions.Threads();

    public TrainCommand()
        : base("train", "Train a model as a run file says. The same command goes on where the last one stopped.",
            "hadal train --config run.json --out runs/first", "hadal train --config run.json --out runs/first --dry-run",
            "hadal train --config quickstart/run.json --out runs/longer", "hadal train --preset v3 --dry-run",
            "hadal train --config run.json --out runs/first --metrics-port 9464",
            "hadal train --preset tiny --data notes/ --tokenizer tokenizer.json --out runs/tiny")
    {
        foreach (var option in (Option[])[_config, _preset, _data, _tokenizer, _writeConfig, _out, _resume, _dryRun, _metricsPort, _threads]) Options.Add(option);
        Validators.Add(Complain);
    }

    private void Complain(CommandResult given)
    {
        bool preset = Has(_preset);
        if (!preset && !Has(_config)) given.AddError("--config or --preset is missing.");
        else if (preset && Has(_config)) given.AddError("--config and --preset are two ways to say what is trained; give one of them.");
        else if (!preset && new Option[] { _data, _tokenizer, _writeConfig }.FirstOrDefault(Has) is { } option) given.AddError($"{option.Name} needs --preset beside it; a run file says it itself.");
        else if (!Has(_out) && !Has(_dryRun) && !Has(_writeConfig) && given.GetResult(_config) is not { Tokens.Count: 0 } && given.GetResult(_preset) is not { Tokens.Count: 0 }) given.AddError("--out is missing.");

        bool Has(Option option) => given.GetResult(option) is { Implicit: false };
    }

    protected override int Run(CommandContext context)
    {
        if (context.Find(_writeConfig) is { } target) return WriteConfig(context, target);
        string folder = context.Find(_out) ?? ".";
        if (File.Exists(folder)) throw new MistakeException($"{folder} is a file; --out has to name a folder");
        var file = context.Find(_config) is { } config ? RunFile.Load(config, folder) : FromPreset(context, folder, context.Get(_dryRun));
        ParallelRun.Check(file.Run, file.Model);
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
        var plan = RunPlan.Of(file.Run, file.Model);
        MemoryRoom.Require(plan.MemoryBytes, "The run", "a smaller model, sequence_length or micro_batch_sequences, or recompute takes less");
        int threads = context.Get(_threads);
        using var data = RunData.Load(context, file, threads);
        var training = new SharedBatches(data.Training);
        var validation = data.Validation is null ? null : new SharedBatches(data.Validation);
        StoppedException? stopped = null;
        TrainingRanks.Run(file, threads, (backend, world) =>
        {
            bool speaks = world is null or { Rank: 0 };
            if (speaks)
            {
                if (plan.RecomputeSavesBytes != 0) context.Say($"Recomputation saves {Figures.Bytes(plan.RecomputeSavesBytes)}; the run takes about {Figures.Bytes(plan.MemoryBytes)}.");
                context.Say(data.Describe());
                if (file.Run.Parallel is { } p && world is not null) context.Say($"{world.Size} ranks: {p.Schedule} over {p.Pipeline}, experts over {p.Experts}, data over {p.Data}.");
            }

            var tokenizer = TokenizerFiles.Find(file.TokenizerPath, Path.Combine(folder, "tokenizer"));
            using var run = world is null
                ? new TrainingRun(file.Run, file.Model, folder, backend, data.Training, data.Validation, data.ValidationMicroBatches, tokenizer)
                : ParallelRun.Create(file.Run, file.Model, folder, backend, world, training, validation, data.ValidationMicroBatches, tokenizer);
            if (speaks) run.Warned = sentence => context.Say("warning: " + sentence);
            if (run.Resume())
            {
                if (speaks) context.Say($"Going on behind step {run.StepsDone} of {file.Run.Steps}.");
            }
            else if (context.Get(_resume))
            {
                throw new MistakeException($"{folder} has no checkpoint to go on from; leave out --resume to start at the first step");
            }

            if (speaks) stopped = Lead(context, file, folder, run, threads);
            else Follow(context, run);
        });
        if (stopped is not null) throw stopped;
    }

    // The rank that a person sees. What it gives says that the run was stopped.
    private StoppedException? Lead(CommandContext context, RunFile file, string folder, TrainingRun run, int threads)
    {
        run.PeakGflops = ArithmeticPeak.Measure(file, threads, context.Cancellation);
        var gauges = new RunGauges(file);
        using var endpoint = context.Get(_metricsPort) is > 0 and var port ? new MetricsEndpoint(port, gauges.Page) : null;
        if (endpoint is not null) context.Say($"Figures for Prometheus: {endpoint.Address}");
        int first = run.StepsDone;
        long started = Stopwatch.GetTimestamp();
        try
        {
            using var view = LiveTrainingView.Start(context.Error, $"training {folder}", file.Run.Steps, tokens: file.Run.Tokens);
            run.Run(
                step =>
                {
                    gauges.Report(step);
                    view.Report(step);
                },
                context.Cancellation);
            view.Complete();
        }
        catch (OperationCanceledException)
        {
            return new StoppedException(run.StepsDone == 0
                ? "Stopped before the first step; there was nothing to keep."
                : $"Stopped after step {run.StepsDone} of {file.Run.Steps}; a checkpoint is in {Path.Combine(folder, "checkpoints")}. The same command goes on from there.",
                context.Cancellation);
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        ShowResult(context, folder, MetricsLog.Read(run.MetricsFile), (file.Run.TokensAfter(run.StepsDone) - file.Run.TokensAfter(first)) / seconds);
        return null;
    }

    private static void Follow(CommandContext context, TrainingRun run)
    {
        try
        {
            run.Run(null, context.Cancellation);
        }
        catch (OperationCanceledException)
        {
            // The rank that leads says so.
        }
    }

    private RunFile FromPreset(CommandContext context, string folder, bool withoutText)
    {
        string name = context.Get(_preset);
        var preset = RunPreset.Find(name)
            ?? throw new MistakeException($"--preset is \"{name}\", but has to be one of {string.Join(", ", RunPreset.All.Select(p => p.Name))}");
        string? tokenizer = context.Find(_tokenizer);
        string[] data = context.Get(_data);
        if (!withoutText && tokenizer is null)
            throw new MistakeException($"The preset {name} needs a tokenizer; give one with --tokenizer, or make one with hadal tokenizer train --vocab {preset.Model.VocabularySize}");
        if (!withoutText && data.Length == 0)
            throw new MistakeException($"The preset {name} needs text; give files or folders with --data, or --data {TrainingText.DotnetDocumentationName} for the documentation of the .NET SDK");
        return RunFile.Of(preset, tokenizer, data, folder);
    }

    private int WriteConfig(CommandContext context, string path)
    {
        if (Path.Exists(path)) throw new MistakeException($"{path} exists already; choose another name, or delete it");
        var file = FromPreset(context, Path.GetDirectoryName(Path.GetFullPath(path))!, withoutText: true);
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(file.Run.ToJson())));
        if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["config"] = path });
        else context.Streams.Out.WriteLine($"{path} is written; its tokenizer is {file.Run.Tokenizer}, its text {string.Join(", ", file.Run.Data)}. Train it: hadal train --config {path} --out DIR");
        return ExitCodes.Success;
    }

    private int ShowPlan(CommandContext context, RunFile file)
    {
        var plan = RunPlan.Of(file.Run, file.Model);
        using var shards = ShardData.Find(file) is { } dataset ? ShardData.Open(file, dataset) : null;
        double flops = plan.FlopsPerToken * file.Run.Tokens;
        int threads = context.Get(_threads) is > 0 and var wanted ? wanted : Environment.ProcessorCount;
        double product = GemmMeasurement.MeasureGflops(threads, cancellation: context.Cancellation), seconds = flops / (product * 1e9 * AssumedShare);
        if (context.Json)
        {
            var json = new JsonObject
            {
                ["parameters"] = plan.Parameters,
                ["active_parameters"] = plan.ActiveParameters,
                ["mtp_parameters"] = file.Model.MtpParameterCount,
                ["memory_bytes"] = plan.MemoryBytes,
                ["memory"] = new JsonObject(MemoryParts(plan.Memory).Select(p => KeyValuePair.Create(p.Field, (JsonNode?)p.Bytes))),
                ["recompute_saves_bytes"] = plan.RecomputeSavesBytes,
                ["flops_per_token"] = plan.FlopsPerToken,
                ["main_flops_per_token"] = plan.MainFlopsPerToken,
                ["steps"] = file.Run.Steps,
                ["tokens"] = file.Run.Tokens,
                ["fp32_gemm_gflops"] = JsonOutput.Number(product),
                ["assumed_gemm_share"] = AssumedShare,
                ["seconds"] = JsonOutput.Number(seconds),
            };
            if (shards is not null) json["data"] = shards.ToJson();
            JsonOutput.Write(context.Streams.Out, json);
            return ExitCodes.Success;
        }

        string modules = file.Model.MtpLayers > 0 ? $" + {Figures.Whole(file.Model.MtpParameterCount)} in MTP modules" : "";
        string main = file.Model.MtpLayers > 0 ? $" ({Figures.Count(plan.MainFlopsPerToken)}FLOP without MTP)" : "";
        string saving = plan.RecomputeSavesBytes == 0 ? "" : $"; without recompute it would be {Figures.Bytes(plan.MemoryBytes + plan.RecomputeSavesBytes)}";
        var facts = new FactSheet("The run would need")
            .Add("parameters", $"{Figures.Whole(file.Model.ParameterCount)}{modules} ({Figures.Whole(plan.ActiveParameters)} active per token)")
            .Add("memory", $"about {Figures.Bytes(plan.MemoryBytes)}: {string.Join(", ", MemoryParts(plan.Memory).Where(p => p.Bytes > 0).Select(p => $"{p.Name} {Figures.Bytes(p.Bytes)}"))}{saving}")
            .Add("tokens", $"{Figures.Whole(file.Run.Tokens)} in {Figures.Whole(file.Run.Steps)} steps")
            .Add("arithmetic", $"{Figures.Count(plan.FlopsPerToken)}FLOP per token{main}, {Figures.Number(flops)} FLOP in all")
            .Add("time here", $"about {Time(seconds)}, if {Figures.Percent(AssumedShare)} of this machine's FP32 matrix product is reached, {Figures.Number(product)} GFLOP/s");
        if (shards is not null) facts.Add("data", shards.DescribeWhole());
        facts.Write(context);
        return ExitCodes.Success;
    }

    private static string Time(double seconds) =>
        seconds < 3.15576e7 ? Figures.Duration(TimeSpan.FromSeconds(seconds)) : $"{Figures.Count(Math.Round(seconds / 3.15576e7))} years";

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

    private static (string Field, string Name, long Bytes)[] MemoryParts(RunMemory memory) =>
    [
        ("weights", "weights", memory.Weights), ("gradients", "gradients", memory.Gradients), ("moments", "moments", memory.Moments),
        ("activations", "activations", memory.Activations), ("temporaries", "temporaries", memory.Temporaries), ("operands", "operands", memory.Operands),
        ("checkpoint", "checkpoint copy", memory.Checkpoint), ("average", "average", memory.Average), ("program", "program", memory.Program),
    ];
}
