using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Numerics.Measurement;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal bench peak</c>: what this machine can do at most.</summary>
internal sealed class BenchPeakCommand : HadalCommand
{
    private readonly Option<int> _threads = CommonOptions.Threads();

    public BenchPeakCommand()
        : base("peak", "Measure what this machine can do at most: memory read, FP32, BF16 and INT8 arithmetic, and the matrix product that models spend their time in.",
            "hadal bench peak", "hadal bench peak --threads 1 --json") => Options.Add(_threads);

    public static JsonObject ToJson(PeakResult peak, double product) => new()
    {
        ["threads"] = peak.Threads,
        ["read_gb_per_s"] = JsonOutput.Number(peak.ReadGbPerS),
        ["fp32_gflops"] = JsonOutput.Number(peak.Fp32Gflops),
        ["bf16_gflops"] = JsonOutput.Number(peak.Bf16Gflops),
        ["int8_gops"] = JsonOutput.Number(peak.Int8Gops),
        ["fp32_gemm_gflops"] = JsonOutput.Number(product),
    };

    protected override int Run(CommandContext context)
    {
        int threads = context.Get(_threads) is > 0 and var wanted ? wanted : Environment.ProcessorCount;
        PeakResult peak;
        double product;
        using (var status = new StatusLine(context.Streams))
        {
            status.Show(() => "measuring …", now: true);
            peak = PeakMeasurement.Measure(threads, context.Cancellation);
            product = GemmMeasurement.MeasureGflops(threads, cancellation: context.Cancellation);
        }

        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, ToJson(peak, product));
            return ExitCodes.Success;
        }

        const string absent = "no instruction for it";
        new FactSheet(threads == 1 ? "1 thread" : $"{threads} threads")
            .Add("memory read", $"{Figures.Number(peak.ReadGbPerS)} GB/s")
            .Add("FP32", $"{Figures.Number(peak.Fp32Gflops)} GFLOP/s")
            .Add("FP32 matrix product", $"{Figures.Number(product)} GFLOP/s ({Figures.Percent(product / peak.Fp32Gflops)} of the peak)")
            .Add("BF16", peak.Bf16Gflops is { } bf16 ? $"{Figures.Number(bf16)} GFLOP/s" : absent)
            .Add("INT8", peak.Int8Gops is { } int8 ? $"{Figures.Number(int8)} GOP/s" : absent)
            .Write(context);
        return ExitCodes.Success;
    }
}
