using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Inference.Measurement;
using Hadal.Inference.Weights;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal quantize</c>: what weights in fewer bits cost.</summary>
internal sealed class QuantizeCommand : HadalCommand
{
    private static readonly (string Name, WeightFormat? Format)[] _references = [("bf16", WeightFormat.BF16), ("fp32", WeightFormat.F32), ("stored", null)];
    private readonly Argument<string> _model = new("MODEL") { Description = ModelFolder.Description };
    private readonly Option<bool> _report = new("--report") { Description = "Run a text through the model with and without quantised weights, and compare." };
    private readonly Option<WeightFormat?> _weights = WeightNames.Option("int8");

    private readonly Option<string> _against = new("--against")
    {
        Description = $"Weights to compare with: {string.Join(", ", _references.Select(r => r.Name))}.",
        HelpName = "FORMAT",
        DefaultValueFactory = _ => "bf16",
    };

    private readonly Option<string?> _text = new("--text") { Description = "A file with the text; - for standard input.", HelpName = "FILE" };
    private readonly Option<int> _tokens = Numbers.Whole("--tokens", "Tokens of the text that are used at most.", 2048, 2);
    private readonly Option<int> _window = Numbers.Whole("--window", "Tokens that are read together: a token is predicted from those before it in its window.", 512, 1);
    private readonly Option<int> _threads = CommonOptions.Threads();

    public QuantizeCommand()
        : base("quantize",
            "Measure what weights in fewer bits cost: perplexity and divergence on a text. Weights are quantised when a model is loaded (--weights of generate, chat, trace, bench); nothing is written.",
            "hadal quantize quickstart/model --report --weights int4 --text notes.txt",
            "hadal quantize ~/models/DeepSeek-V2-Lite --report --weights int8 --against stored --text wiki.txt --tokens 20000 --json")
    {
        Arguments.Add(_model);
        foreach (Option option in new Option[] { _report, _weights, _against, _text, _tokens, _window, _threads }) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        var compared = Against(context.Get(_against));
        if (!context.Get(_report))
        {
            throw new MistakeException("hadal quantize measures what quantised weights cost, with --report --text FILE; to use them, load the model with --weights (hadal generate MODEL --weights int8): "
                + "nothing has to be written");
        }

        string path = context.Find(_text)
            ?? throw new MistakeException("There is no text to measure with; give a file with --text FILE, some pages of what the model is for, or --text - for standard input");
        string folder = ModelFolder.Check(context.Get(_model));
        int[] tokens = Encode(Tokenizer.Load(folder), TextInput.Read(path, context), context.Get(_tokens), out int? begin);
        var wanted = context.Find(_weights) ?? WeightFormat.EightBit;
        var (reference, quantized) = (new LoadOptions { Mtp = false, Weights = compared }, new LoadOptions { Mtp = false, Weights = wanted });
        bool together = LoadedModel.MemoryBytes(folder, reference) + LoadedModel.MemoryBytes(folder, quantized) <= MemoryRoom.Available;
        var result = new Comparison(context, folder, context.Get(_threads), reference, quantized).Run(
            config => new TextWindows(tokens, Math.Min(context.Get(_window), config.MaxPositions), begin), together);
        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(result));
        else Draw(context, result);
        return ExitCodes.Success;
    }

    private static WeightFormat? Against(string name)
    {
        var found = Array.Find(_references, r => r.Name == name);
        return found.Name is not null ? found.Format
            : throw new MistakeException($"--against is \"{name}\", but has to be one of {string.Join(", ", _references.Select(r => r.Name))}");
    }

    private static int[] Encode(Tokenizer tokenizer, string text, int most, out int? begin)
    {
        begin = tokenizer.Settings.AddBosToken ? tokenizer.BosId : null;
        int[] ids = tokenizer.Encode(text);
        return ids.Length <= most ? ids : ids[..most];
    }

    private static JsonObject ToJson(Result result) => new()
    {
        ["tokens"] = result.Report.Tokens,
        ["window"] = result.WindowTokens,
        ["reference"] = ToJson(result.Reference, result.Report.ReferencePerplexity),
        ["quantized"] = ToJson(result.Quantized, result.Report.QuantizedPerplexity),
        ["kl_mean"] = JsonOutput.Number(result.Report.MeanDivergence),
        ["kl_p99"] = JsonOutput.Number(result.Report.HighDivergence),
        ["same_token_share"] = JsonOutput.Number(result.Report.SameTokenShare),
    };

    private static JsonObject ToJson(Weights weights, double perplexity) => new()
    {
        ["weights"] = weights.Name,
        ["perplexity"] = JsonOutput.Number(perplexity),
        ["bits_per_weight"] = JsonOutput.Number(weights.Bits),
        ["bytes"] = weights.Bytes,
    };

    private static void Draw(CommandContext context, Result result) => new FactSheet($"{result.Report.Tokens} tokens predicted, in windows of {result.WindowTokens}")
        .Add($"{result.Reference.Name} (reference)", Describe(result.Reference, result.Report.ReferencePerplexity))
        .Add(result.Quantized.Name, Describe(result.Quantized, result.Report.QuantizedPerplexity))
        .Add("KL divergence", $"mean {Figures.Number(result.Report.MeanDivergence)}, 99th percentile {Figures.Number(result.Report.HighDivergence)} nats")
        .Add("same most likely token", Figures.Percent(result.Report.SameTokenShare))
        .Write(context);

    private static string Describe(Weights weights, double perplexity) => FormattableString.Invariant(
        $"perplexity {perplexity:0.0000}, {weights.Bits:0.00} bits per weight, {Figures.Bytes(weights.Bytes)} in memory");

    private sealed record Weights(string Name, double Bits, long Bytes)
    {
        public static Weights Of(InferenceModel model) => new(WeightNames.Name(model.MainFormat), model.BitsPerWeight, model.ByteLength);
    }

    private sealed record Result(QuantizationReport Report, int WindowTokens, Weights Reference, Weights Quantized);

    /// <summary>The model with both kinds of weights, together or one after the other.</summary>
    private sealed class Comparison(CommandContext context, string folder, int threads, LoadOptions compared, LoadOptions wanted)
    {
        public Result Run(Func<Model.Configuration.ModelConfig, TextWindows> cut, bool together)
        {
            var first = LoadedModel.Load(context, folder, threads, compared);
            try
            {
                var text = cut(first.Model.Config);
                var reference = Weights.Of(first.Model);
                if (together)
                {
                    using var second = first.LoadAgain(context, wanted);
                    return new Result(Watch("both models", text, p => QuantizationReport.Measure(first.Model, second.Model, text, p, context.Cancellation)),
                        text.WindowTokens, reference, Weights.Of(second.Model));
                }

                using var logits = Watch("reference", text, p => RecordedLogits.Record(first.Model, text, p, context.Cancellation));
                first.Dispose();
                using var alone = LoadedModel.Load(context, folder, threads, wanted);
                return new Result(Watch("quantised model", text, p => QuantizationReport.Measure(logits, alone.Model, text, p, context.Cancellation)),
                    text.WindowTokens, reference, Weights.Of(alone.Model));
            }
            finally
            {
                first.Dispose();
            }
        }

        private T Watch<T>(string who, TextWindows text, Func<IProgress<int>, T> measure)
        {
            using var status = new StatusLine(context.Streams);
            long start = Stopwatch.GetTimestamp();
            return measure(new Report<int>(done => status.Show(() =>
            {
                double share = (double)done / text.Predictions;
                var elapsed = Stopwatch.GetElapsedTime(start);
                string left = elapsed.TotalSeconds > 3 ? $", about {Figures.Duration(elapsed * ((1 - share) / share))} left" : "";
                return $"{who}: {done} of {text.Predictions} tokens{left}";
            })));
        }
    }
}
