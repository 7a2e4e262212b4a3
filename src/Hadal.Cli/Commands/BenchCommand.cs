using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Inference.Measurement;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Numerics.Measurement;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal bench</c>: how fast a model reads prompts and decodes, beside what the machine allows.</summary>
internal sealed class BenchCommand : HadalCommand
{
    private readonly Argument<string?> _model = new("MODEL") { Description = "A Hugging Face folder or a .gguf file.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _shape = new("--shape") { Description = "Instead of a model, a config.json: random weights of that shape.", HelpName = "FILE" };
    private readonly Option<string?> _keep = new("--keep") { Description = "With --shape: where the random model is written and stays; one that is there already is used.", HelpName = "DIR" };
    private readonly Option<double> _skew = Numbers.Real("--skew", "With --shape: how unevenly experts are loaded; router biases fall by this for each unit of ln(rank).", 0, "S", "of at least 0", s => s >= 0);
    private readonly Option<ulong?> _seed = Numbers.Seed("With --shape: start of the random weights; 1 if it is left out.");
    private readonly Option<WeightFormat?> _weights = WeightNames.Option();
    private readonly Option<int> _prefill = Numbers.Whole("--prefill", "Tokens of the prompt that is timed; 0 for none.", 512, 0);
    private readonly Option<int> _decode = Numbers.Whole("--decode", "Tokens that are decoded; 0 for none.", 128, 0);
    private readonly Option<int[]> _depth = List("--depth", "Tokens held before decoding, one or more with commas.", 0, 0);
    private readonly Option<int[]> _batch = List("--batch", "Sequences decoded together, one or more with commas.", 1, 1);
    private readonly Option<int> _repeat = Numbers.Whole("--repeat", "Each result is the median of so many runs.", 3, 1, 100);
    private readonly Option<DType?> _cache = CacheNames.Option();
    private readonly Option<long?> _memory = Numbers.Bytes("--memory", "Memory for the model in all; of the routed experts, those that do not fit are read from the disk when they are needed.");
    private readonly Option<int> _threads = CommonOptions.Threads();

    public BenchCommand()
        : base("bench", "Measure how fast a model reads prompts and decodes, beside what the machine allows.",
            "hadal bench quickstart/model",
            "hadal bench ~/models/DeepSeek-V2-Lite --weights int8 --depth 0,4096 --batch 1,16",
            "hadal bench --shape shapes/mid.json --weights bf16 --json",
            "hadal bench --shape bench/shapes/many-experts.json --skew 0.03 --keep random-model --prefill 0 --decode 0",
            "hadal bench random-model --memory 1G",
            "hadal bench peak",
            "hadal bench train --config run.json",
            "hadal bench serve http://127.0.0.1:8080 --rate 4 --duration 60")
    {
        Arguments.Add(_model);
        foreach (Option option in new Option[] { _shape, _keep, _skew, _seed, _weights, _cache, _memory, _prefill, _decode, _depth, _batch, _repeat, _threads }) Options.Add(option);
        Subcommands.Add(new BenchPeakCommand());
        Subcommands.Add(new BenchExpertsCommand());
        Subcommands.Add(new BenchTrainCommand());
        Subcommands.Add(new BenchServeCommand());
    }

    protected override int Run(CommandContext context)
    {
        int threads = context.Get(_threads) is > 0 and var wanted ? wanted : Environment.ProcessorCount;
        var plan = new BenchmarkPlan
        {
            Prefill = context.Get(_prefill),
            Decode = context.Get(_decode),
            Depths = context.Get(_depth),
            Batches = context.Get(_batch),
            Repetitions = context.Get(_repeat),
            CacheType = context.Find(_cache),
        };
        using var folder = Folder(context);
        if (plan is { Prefill: 0, Decode: 0 } && context.Find(_keep) is { } kept) return Tell(context, kept);
        var results = new List<(BenchmarkResult Result, PeakResult Limits)>();
        PeakResult peak;
        double product;
        WeightFormat format;
        DType cache;
        using (var loaded = LoadedModel.Load(context, folder.Path, threads, new LoadOptions { Mtp = false, Weights = context.Find(_weights), Memory = context.Find(_memory) }))
        {
            using var status = new StatusLine(context.Streams);
            status.Show(() => "measuring the machine …", now: true);
            peak = PeakMeasurement.Measure(threads, context.Cancellation);
            product = GemmMeasurement.MeasureGflops(threads, cancellation: context.Cancellation);
            var progress = new Report<string>(what => status.Show(() => $"measuring: {what} …", now: true));
            (format, cache) = (loaded.Model.MainFormat, plan.CacheType ?? loaded.Model.DefaultCacheType);
            double before = peak.ReadGbPerS;
            foreach (var result in new InferenceBenchmark(loaded.Model).Run(plan, progress, context.Cancellation))
            {
                // Machines with neighbours change from minute to minute: what counts is the memory's rate right before and after.
                double after = PeakMeasurement.MeasureRead(threads, context.Cancellation);
                results.Add((result, peak with { ReadGbPerS = (before + after) / 2 }));
                before = after;
            }
        }

        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(peak, format, cache, product, results));
        else Draw(context, peak, format, cache, results);
        return ExitCodes.Success;
    }

    // Decoding is bound by memory (or, with many sequences, by both), prompts by arithmetic.
    private static double Share(BenchmarkResult result, PeakResult peak, WeightFormat format)
    {
        double memory = result.TokensPerSecond * result.BytesPerToken / (peak.ReadGbPerS * 1e9);
        double arithmetic = result.TokensPerSecond * result.OperationsPerToken / (Peak(peak, format) * 1e9);
        return Math.Max(memory, arithmetic);
    }

    private static double Peak(PeakResult peak, WeightFormat format) => format switch
    {
        WeightFormat.F32 or WeightFormat.F16 => peak.Fp32Gflops,
        WeightFormat.BF16 or WeightFormat.Fp8 or WeightFormat.Fp8W8A8 => peak.Bf16Gflops ?? peak.Fp32Gflops,
        _ => peak.Int8Gops ?? peak.Fp32Gflops,
    };

    private static JsonObject ToJson(PeakResult peak, WeightFormat format, DType cache, double product, List<(BenchmarkResult Result, PeakResult Limits)> results) => new()
    {
        ["weights"] = WeightNames.Name(format),
        ["cache"] = CacheNames.Name(cache),
        ["limits"] = BenchPeakCommand.ToJson(peak, product),
        ["results"] = new JsonArray([.. results.Select(r => new JsonObject
        {
            ["kind"] = r.Result.Kind,
            ["batch"] = r.Result.Batch,
            ["depth"] = r.Result.Depth,
            ["tokens_per_second"] = JsonOutput.Number(r.Result.TokensPerSecond),
            ["bytes_per_token"] = JsonOutput.Number(r.Result.BytesPerToken),
            ["operations_per_token"] = JsonOutput.Number(r.Result.OperationsPerToken),
            ["read_gb_per_s"] = JsonOutput.Number(r.Limits.ReadGbPerS),
            ["share_of_limit"] = JsonOutput.Number(Share(r.Result, r.Limits, format)),
            ["experts"] = ExpertFigures.ToJson(r.Result.Experts),
        })]),
    };

    private static void Draw(CommandContext context, PeakResult peak, WeightFormat format, DType cache, List<(BenchmarkResult Result, PeakResult Limits)> results)
    {
        new FactSheet($"{WeightNames.Name(format)} weights, {CacheNames.Name(cache)} cache, {peak.Threads} {(peak.Threads == 1 ? "thread" : "threads")}")
            .Add("memory read", $"{Figures.Number(peak.ReadGbPerS)} GB/s")
            .Add("arithmetic", $"{Figures.Number(Peak(peak, format))} G operations/s")
            .Write(context);
        var table = new Table().Border(TableBorder.Simple);
        foreach (string column in new[] { "", "sequences", "depth", "tokens/s", "read per token", "of the limit" }) table.AddColumn(column, c => c.RightAligned());
        foreach (var (r, limits) in results)
        {
            table.AddRow(
                r.Kind == "prefill" ? "prompt" : "decoding", $"{r.Batch}", $"{r.Depth}", Figures.Number(r.TokensPerSecond), Figures.Bytes(r.BytesPerToken), Figures.Percent(Share(r, limits, format)));
        }

        context.Out.Write(table);
        if (results.All(r => r.Result.Experts is null)) return;
        var experts = new Table().Border(TableBorder.Simple);
        foreach (string column in new[] { "experts", "sequences", "depth", "found in memory", "read ahead rightly", "read", "waiting for the disk" }) experts.AddColumn(column, c => c.RightAligned());
        foreach (var (r, _) in results)
        {
            if (r.Experts is not { } seen) continue;
            experts.AddRow(r.Kind == "prefill" ? "prompt" : "decoding", $"{r.Batch}", $"{r.Depth}", Percent(seen.HitRate), Percent(seen.PrefetchAccuracy), Figures.Bytes(seen.BytesRead), Percent(seen.DiskShare));
        }

        context.Out.Write(experts);

        static string Percent(double? share) => share is { } s ? Figures.Percent(s) : "-";
    }

    // Nothing to measure: the model was wanted for itself.
    private static int Tell(CommandContext context, string folder)
    {
        long bytes = Directory.EnumerateFiles(folder).Sum(f => new FileInfo(f).Length);
        if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["folder"] = folder, ["bytes"] = bytes, ["results"] = new JsonArray() });
        else context.Say($"{folder} holds the random model: {Figures.Bytes(bytes)}.");
        return ExitCodes.Success;
    }

    private BenchFolder Folder(CommandContext context)
    {
        string? keep = context.Find(_keep);
        switch (context.Find(_model), context.Find(_shape))
        {
            case ({ } model, null):
                if (keep is not null) throw new MistakeException("--keep goes with --shape; MODEL stays where it is");
                if (context.Get(_skew) != 0 || context.Find(_seed) is not null) throw new MistakeException("--skew and --seed go with --shape; MODEL has its weights");
                return new BenchFolder(ModelFolder.Check(model), null);
            case (null, { } shape):
                if (!File.Exists(shape)) throw new MistakeException($"There is no file {shape}; --shape takes a config.json");
                var config = ModelConfig.Parse(File.ReadAllBytes(shape), shape);
                string? temporary = keep is null ? Directory.CreateTempSubdirectory("hadal-bench-").FullName : null;
                string path = keep ?? Path.Combine(temporary!, "model");
                if (keep is not null && Directory.Exists(keep)) return new BenchFolder(keep, null);
                try
                {
                    using var status = new StatusLine(context.Streams);
                    double all = new TensorCatalog(config).Tensors.Where(t => t.IsParameter).Sum(t => (double)t.Count);
                    var progress = new Report<long>(n => status.Show(() => $"writing random weights: {100 * n / all:F0}% of {Figures.Bytes(2 * all)}"));
                    RandomCheckpoint.Write(
                        path, config, context.Find(_seed) ?? 1, context.Get(_skew), new CheckpointOptions { MtpCopies = false }, progress, context.Cancellation);
                    return new BenchFolder(path, temporary);
                }
                catch
                {
                    if (temporary is not null) Directory.Delete(temporary, true);
                    throw;
                }

            case (null, null):
                throw new MistakeException("There is nothing to measure; give a model folder, --shape FILE, or measure the machine with hadal bench peak");
            default:
                throw new MistakeException("Both MODEL and --shape are given; one of them can be measured");
        }
    }

    private static Option<int[]> List(string name, string description, int ordinary, int least) => new(name)
    {
        Description = description,
        HelpName = "N,…",
        DefaultValueFactory = _ => [ordinary],
        CustomParser = result => Read(result, name, least),
    };

    private static int[] Read(ArgumentResult result, string name, int least)
    {
        var numbers = new List<int>();
        foreach (string part in result.Tokens[0].Value.Split(','))
        {
            if (int.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least) numbers.Add(value);
            else result.AddError($"{name} is \"{result.Tokens[0].Value}\", but has to be whole numbers of at least {least} with commas between them.");
        }

        return [.. numbers];
    }

    /// <summary>The folder that is measured, removed afterwards if it was made for the occasion.</summary>
    private sealed class BenchFolder(string path, string? temporary) : IDisposable
    {
        public string Path => path;

        public void Dispose()
        {
            if (temporary is not null) Directory.Delete(temporary, true);
        }
    }
}
