using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal bench random</c>: a checkpoint of a shape with random weights, for measurements.</summary>
internal sealed class BenchRandomCommand : HadalCommand
{
    private readonly Argument<string> _shape = new("SHAPE") { Description = "A config.json." };
    private readonly Option<string> _out = new("--out") { Description = "The model folder to write.", HelpName = "DIR", Required = true };
    private readonly Option<double> _skew = Numbers.Real("--skew", "How unevenly experts are loaded: router biases fall by this for each unit of ln(rank).", 0, "S", "of at least 0", s => s >= 0);
    private readonly Option<ulong?> _seed = Numbers.Seed("Start of the random numbers; 1 if it is left out.");

    public BenchRandomCommand()
        : base("random", "Write a checkpoint of a shape with random weights in BF16, to measure speed with.",
            "hadal bench random bench/shapes/many-experts.json --out random-model --skew 0.1")
    {
        Arguments.Add(_shape);
        Options.Add(_out);
        Options.Add(_skew);
        Options.Add(_seed);
    }

    protected override int Run(CommandContext context)
    {
        var config = ModelConfig.Load(context.Get(_shape));
        string folder = context.Get(_out);
        long total = new TensorCatalog(config).Parameters.Sum(t => t.Count);
        using (var status = new StatusLine(context.Streams))
        {
            var progress = new Report<long>(done => status.Show(() => $"writing {folder}: {100.0 * done / total:F0}%"));
            RandomCheckpoint.Write(
                folder, config, context.Find(_seed) ?? 1, context.Get(_skew), new CheckpointOptions { MtpCopies = false }, progress, context.Cancellation);
        }

        long bytes = Directory.EnumerateFiles(folder).Sum(f => new FileInfo(f).Length);
        if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["folder"] = folder, ["parameters"] = total, ["bytes"] = bytes });
        else context.Say($"{folder} written: {total:N0} parameters, {Figures.Bytes(bytes)}.");
        return ExitCodes.Success;
    }
}
