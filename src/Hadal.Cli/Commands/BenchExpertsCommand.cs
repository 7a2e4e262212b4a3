using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Inference.Experts;
using Hadal.Inference.Generation;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal bench experts</c>: decoding with less memory than the model takes.</summary>
internal sealed class BenchExpertsCommand : HadalCommand
{
    private const int PromptTokens = 16;
    private const int Turns = 8;
    private const double RateSeconds = 0.25;
    private readonly Argument<string> _model = new("MODEL") { Description = "A Hugging Face folder; no tokenizer is needed." };
    private readonly Option<long?> _memory = Numbers.Bytes("--memory", "Memory for the model in all; left out, everything is kept in memory.");
    private readonly Option<bool> _mapped = new("--mapped") { Description = "For comparison: keep no expert, use each from the mapped file, and leave what stays in memory to the system." };
    private readonly Option<int> _decode = Numbers.Whole("--decode", "Tokens to decode.", 64, 1);
    private readonly Option<int> _readers = Numbers.Whole("--readers", "Reads under way at once; 0 for what suits the machine.", 0, 0, 256);
    private readonly Option<ulong?> _seed = Numbers.Seed("Start of the random numbers that choose the tokens; 1 if it is left out.");
    private readonly Option<int> _threads = CommonOptions.Threads();

    public BenchExpertsCommand()
        : base("experts", "Decode random tokens with less memory than the model takes, and compare with what the disk's measured rate allows.",
            "hadal bench experts random-model --memory 1G", "hadal bench experts random-model --memory 1G --mapped --json")
    {
        Arguments.Add(_model);
        foreach (var option in (Option[])[_memory, _mapped, _decode, _readers, _seed, _threads]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        string folder = ModelFolder.Check(context.Get(_model));
        var options = new LoadOptions
        {
            Mtp = false,
            Memory = context.Find(_memory),
            Experts = context.Get(_mapped) ? ExpertPolicy.Mapped : ExpertPolicy.Cached,
            ExpertReaders = context.Get(_readers),
        };
        using var loaded = LoadedModel.Load(context, folder, context.Get(_threads), options);
        using var disk = loaded.Model.ExpertStatistics is { } all ? new ReadRateMeasurement(folder, loaded.Backend, all.ExpertBytes, loaded.Model.ExpertReaders) : null;
        var (tokens, seconds, experts) = Decode(loaded.Model, disk, context);
        double? rate = disk?.BytesPerSecond;
        double? share = experts is { BytesUsed: > 0 } ? experts.BytesUsed / rate / seconds : null;
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["tokens"] = JsonOutput.Array(tokens),
                ["tokens_per_second"] = JsonOutput.Number(tokens.Length / seconds),
                ["experts"] = ExpertFigures.ToJson(experts),
                ["disk_gb_per_s"] = JsonOutput.Number(rate / 1e9),
                ["share_of_disk"] = JsonOutput.Number(share),
            });
            return ExitCodes.Success;
        }

        var sheet = new FactSheet(experts is null ? "everything in memory" : context.Get(_mapped) ? "mapped file" : "expert cache")
            .Add("decoding", $"{Figures.Number(tokens.Length / seconds)} tokens/s");
        if (experts is not null)
        {
            sheet.Add("experts", ExpertFigures.Summary(experts))
                .Add("disk", $"{Figures.Number(rate!.Value / 1e9)} GB/s for pieces of an expert's size")
                .Add("speed that the disk allows for what was missed", share is { } s ? $"{Figures.Percent(s)} reached" : "nothing was missed");
        }

        sheet.Write(context);
        return ExitCodes.Success;
    }

    // The disk is measured in turns with the decoding, since it may be another's a second later. Temperature 1, so that tokens, and with them experts, keep changing; half of the tokens are decoded before the clock starts, so that the cache is full.
    private (int[] Tokens, double Seconds, ExpertStatistics? Experts) Decode(InferenceModel model, ReadRateMeasurement? disk, CommandContext context)
    {
        int count = context.Get(_decode), vocabulary = model.Config.VocabularySize, total = PromptTokens + 2 * count + 1;
        ulong seed = context.Find(_seed) ?? 1;
        var random = new Random(unchecked((int)seed));
        int[] prompt = [.. Enumerable.Range(0, PromptTokens).Select(_ => random.Next(vocabulary))];
        using var cache = model.CreateCache(total);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence(prompt, total);
        var decoding = new Decoding(runner, sequence, new Sampler(new SamplingOptions { Temperature = 1, Seed = seed }, vocabulary, vocabulary));
        using var status = new StatusLine(context.Streams);
        runner.Reserve(total);
        decoding.Prefill(cancellation: context.Cancellation);
        int[] tokens = new int[count];
        Generate("warming up", 0, count);
        var before = model.ExpertStatistics;
        double seconds = 0;
        for (int turn = 0; turn < Turns; turn++)
        {
            long start = Stopwatch.GetTimestamp();
            Generate("decoding", count * turn / Turns, count * (turn + 1) / Turns);
            seconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
            disk?.Run(RateSeconds, context.Cancellation);
        }

        return (tokens, seconds, before is null ? null : model.ExpertStatistics!.Since(before));

        void Generate(string what, int first, int end)
        {
            for (int i = first; i < end; i++)
            {
                decoding.Step(tokens.AsSpan(i, 1), context.Cancellation);
                status.Show(() => $"{what}: {i + 1} of {count} tokens");
            }
        }
    }
}
