using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Numerics.Measurement;
using Hadal.Training.Batches;
using Hadal.Training.Precision;
using Hadal.Training.Runs;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal bench train</c>: how fast a run trains, beside what the machine's matrix products allow.</summary>
internal sealed class BenchTrainCommand : HadalCommand
{
    private const double GemmSeconds = 1;
    private readonly Option<string> _config = new("--config") { Description = "The run file; its data and tokenizer are not needed.", HelpName = "FILE", Required = true };
    private readonly Option<string?> _precision = new("--precision") { Description = "Instead of the run file's precision.", HelpName = "WORD" };
    private readonly Option<int> _experts = Numbers.Whole("--experts", "Instead of the model's number of routed experts; 0 for that.", 0, 0, 65536);
    private readonly Option<int> _steps = Numbers.Whole("--steps", "Steps that are timed; the result is their median.", 5, 1, 100_000);
    private readonly Option<int> _warmup = Numbers.Whole("--warmup", "Steps before, which compile and touch memory.", 1, 0, 1000);
    private readonly Option<bool> _profile = new("--profile") { Description = "Also show where the time goes, kernel by kernel." };
    private readonly Option<int> _threads = CommonOptions.Threads();

    public BenchTrainCommand()
        : base("train", "Measure how fast a run trains: tokens per second, share of the matrix product's peak, memory. Tokens are random.",
            "hadal bench train --config run.json", "hadal bench train --config bench/shapes/train.json --precision fp32 --threads 2 --profile",
            "hadal bench train --config bench/shapes/train.json --experts 256 --steps 3 --json")
    {
        foreach (var option in (Option[])[_config, _precision, _experts, _steps, _warmup, _profile, _threads]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        var (run, model) = Load(context);
        var plan = RunPlan.Of(run, model);
        MemoryRoom.Require(plan.MemoryBytes, "The run", "a smaller model, sequence_length or micro_batch_sequences takes less");
        int threads = context.Get(_threads) is > 0 and var wanted ? wanted : Environment.ProcessorCount;
        var result = Measure(context, run, model, plan, threads);
        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(result));
        else Draw(context, result);
        return ExitCodes.Success;
    }

    private Result Measure(CommandContext context, RunConfig run, ModelConfig model, RunPlan plan, int threads)
    {
        int steps = context.Get(_steps), warmup = context.Get(_warmup);
        using var status = new StatusLine(context.Streams);
        status.Show(() => "measuring matrix products …", now: true);
        var peaks = Peaks.Measure(threads, context.Cancellation);
        using var backend = new CpuBackend(threads);
        var profile = context.Get(_profile) ? new KernelProfile() : null;
        var (times, loss) = SpeedTrial.Measure(run, model, backend, new RandomTokens(model.VocabularySize, run.Seed), warmup, steps, Before, context.Cancellation);
        backend.Profile = null;
        status.Show(() => "measuring matrix products …", now: true);
        peaks = peaks.Mean(Peaks.Measure(threads, context.Cancellation));
        double[] seconds = [.. times.Select(t => t.TotalSeconds).Order()];
        double median = (seconds[(seconds.Length - 1) / 2] + seconds[seconds.Length / 2]) / 2;
        return new Result(
            run.Precision, threads, [.. times.Select(t => run.TokensPerStep / t.TotalSeconds)], run.TokensPerStep / median, plan, peaks, PeakMemory(), loss,
            profile is null ? null : [.. profile.Entries()], seconds.Sum());

        void Before(int step)
        {
            status.Show(() => $"step {step} of {warmup + steps} …", now: true);
            if (profile is null || step != warmup + 1) return;
            profile.Clear();
            backend.Profile = profile;
        }
    }

    private (RunConfig Run, ModelConfig Model) Load(CommandContext context)
    {
        string path = context.Get(_config);
        var run = RunConfig.Load(path);
        if (context.Find(_precision) is { } precision)
        {
            if (PrecisionPolicy.Find(precision) is null) throw new MistakeException($"--precision is \"{precision}\", but has to be one of {string.Join(", ", PrecisionPolicy.All.Select(p => p.Name))}");
            run = run with { Precision = precision };
        }

        if (context.Get(_experts) is > 0 and var experts)
        {
            var changed = run.Model.DeepClone().AsObject();
            changed["n_routed_experts"] = experts;
            run = run with { Model = changed };
        }

        return (run, run.ReadModel(path));
    }

    private static long PeakMemory()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private static JsonObject ToJson(Result r)
    {
        var json = new JsonObject
        {
            ["precision"] = r.Precision,
            ["threads"] = r.Threads,
            ["tokens_per_second"] = JsonOutput.Number(r.TokensPerSecond),
            ["steps"] = new JsonArray([.. r.Steps.Select(s => JsonOutput.Number(s))]),
            ["flops_per_token"] = JsonOutput.Number(r.Plan.FlopsPerToken),
            ["model_gflops"] = JsonOutput.Number(r.Gflops),
            ["fp32_gemm_gflops"] = JsonOutput.Number(r.Peaks.Fp32),
            ["bf16_gemm_gflops"] = JsonOutput.Number(r.Peaks.Bf16),
            ["share_of_gemm_peak"] = JsonOutput.Number(r.Share),
            ["peak_memory_bytes"] = r.PeakMemory,
            ["estimated_memory_bytes"] = r.Plan.MemoryBytes,
            ["parameters"] = r.Plan.Parameters,
            ["active_parameters"] = r.Plan.ActiveParameters,
            ["loss"] = JsonOutput.Number(r.Loss),
        };
        if (r.Profile is null) return json;
        json["profile"] = new JsonArray([.. r.Rows().Select(row => new JsonObject
        {
            ["kernel"] = row.Kernel,
            ["calls_per_step"] = JsonOutput.Number(row.Calls),
            ["ms_per_step"] = JsonOutput.Number(row.Milliseconds),
            ["share"] = JsonOutput.Number(row.Share),
        })]);
        return json;
    }

    private static void Draw(CommandContext context, Result r)
    {
        new FactSheet($"{r.Precision}, {(r.Threads == 1 ? "1 thread" : $"{r.Threads} threads")}")
            .Add("training", $"{Figures.Rate(r.TokensPerSecond)} tokens/s")
            .Add("model arithmetic", $"{Figures.Number(r.Gflops)} GFLOP/s ({Figures.Count(r.Plan.FlopsPerToken)}FLOP per token)")
            .Add("matrix product", $"FP32 {Figures.Number(r.Peaks.Fp32)}, BF16 {Figures.Number(r.Peaks.Bf16)} GFLOP/s")
            .Add("of the matrix product", Figures.Percent(r.Share))
            .Add("peak memory", $"{Figures.Bytes(r.PeakMemory)} (estimated: {Figures.Bytes(r.Plan.MemoryBytes)})")
            .Add("parameters", $"{Figures.Whole(r.Plan.Parameters)} ({Figures.Whole(r.Plan.ActiveParameters)} active per token)")
            .Write(context);
        if (r.Profile is null) return;
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("");
        foreach (string column in new[] { "calls per step", "ms per step", "share" }) table.AddColumn(column, c => c.RightAligned());
        foreach (var row in r.Rows()) table.AddRow(row.Kernel, Figures.Number(row.Calls), Figures.Number(row.Milliseconds), Figures.Percent(row.Share));
        context.Out.Write(table);
    }

    /// <summary>The machine's matrix products, in GFLOP/s.</summary>
    private sealed record Peaks(double Fp32, double Bf16)
    {
        public static Peaks Measure(int threads, CancellationToken cancellation) => new(
            GemmMeasurement.MeasureGflops(threads, seconds: GemmSeconds, cancellation: cancellation), GemmMeasurement.MeasureBf16Gflops(threads, seconds: GemmSeconds, cancellation: cancellation));

        public Peaks Mean(Peaks other) => new((Fp32 + other.Fp32) / 2, (Bf16 + other.Bf16) / 2);
    }

    private sealed record Result(
        string Precision, int Threads, double[] Steps, double TokensPerSecond, RunPlan Plan, Peaks Peaks, long PeakMemory, double Loss, KernelTime[]? Profile, double Seconds)
    {
        public double Gflops => TokensPerSecond * Plan.FlopsPerToken / 1e9;

        public double Share => Gflops / (Precision == PrecisionPolicy.Full.Name ? Peaks.Fp32 : Peaks.Bf16);

        public IEnumerable<(string Kernel, double Calls, double Milliseconds, double Share)> Rows()
        {
            double rest = Seconds;
            foreach (var entry in Profile!)
            {
                rest -= entry.Time.TotalSeconds;
                yield return (entry.Kernel, (double)entry.Calls / Steps.Length, entry.Time.TotalMilliseconds / Steps.Length, entry.Time.TotalSeconds / Seconds);
            }

            yield return ("between kernels", 0, 1000 * rest / Steps.Length, rest / Seconds);
        }
    }
}
