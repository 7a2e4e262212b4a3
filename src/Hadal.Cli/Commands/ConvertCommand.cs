using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal convert</c>: a model in another form.</summary>
internal sealed class ConvertCommand : HadalCommand
{
    private static readonly (string Name, GgufWeights? Gguf, DType? Folder)[] _forms =
    [
        ("f32", GgufWeights.F32, DType.F32), ("f16", GgufWeights.F16, null), ("bf16", GgufWeights.BF16, DType.BF16), ("q8_0", GgufWeights.Q80, null),
        ("q4_0", GgufWeights.Q40, null), ("q4_k_m", GgufWeights.Q4KM, null), ("fp8", null, DType.F8E4M3),
    ];

    private readonly Argument<string> _in = new("IN") { Description = ModelFolder.Description };
    private readonly Argument<string> _out = new("OUT") { Description = "What to write: a name that ends in .gguf for a GGUF file, any other for a Hugging Face folder." };
    private readonly Option<string?> _weights = new("--weights")
    {
        Description = "How weights are stored: f32, f16, bf16, q8_0, q4_0 or q4_k_m in a GGUF file; f32, bf16 or fp8 (blocks of 128 × 128) in a folder. "
            + "If it is left out: f32 if IN has F32, else bf16.",
        HelpName = "F",
    };

    public ConvertCommand()
        : base("convert", "Write a model in another form: Hugging Face folder to GGUF file and back, FP8 to BF16 and back, or smaller weights.",
            "hadal convert quickstart/model quickstart.gguf", "hadal convert ~/models/DeepSeek-V2-Lite v2-lite.gguf --weights q4_k_m",
            "hadal convert ~/models/DeepSeek-V3 ~/models/DeepSeek-V3-bf16 --weights bf16", "hadal convert model.gguf model --weights f32 --json")
    {
        Arguments.Add(_in);
        Arguments.Add(_out);
        Options.Add(_weights);
    }

    protected override int Run(CommandContext context)
    {
        string from = ModelFolder.Check(context.Get(_in)), to = context.Get(_out);
        bool gguf = to.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        if (Path.GetFullPath(from).TrimEnd('/', '\\') == Path.GetFullPath(to).TrimEnd('/', '\\'))
            throw new MistakeException($"{from} would be written over itself; choose another name for OUT");
        if (gguf) OutputFile.Check(to);
        var clock = Stopwatch.StartNew();
        using var source = Checkpoint.Open(from);
        var form = Form(context, source, gguf);
        using (var status = new StatusLine(context.Streams))
        {
            var progress = new Report<ConversionProgress>(p => status.Show(() => Describe(p, to, clock.Elapsed)));
            if (gguf) ModelConversion.ToGguf(source, to, form.Gguf!.Value, progress, context.Cancellation);
            else ModelConversion.ToFolder(source, to, form.Folder!.Value, progress, context.Cancellation);
        }

        Summarise(context, from, to, form.Name, clock.Elapsed);
        return ExitCodes.Success;
    }

    private (string Name, GgufWeights? Gguf, DType? Folder) Form(CommandContext context, Checkpoint source, bool gguf)
    {
        string name = context.Find(_weights)?.ToLowerInvariant()
            ?? (source.Get(source.Catalog.Get(TensorRole.Embedding).Name) is { Type: DType.F32, Blocks: null } ? "f32" : "bf16");
        var form = Array.Find(_forms, f => f.Name == name && (gguf ? f.Gguf is not null : f.Folder is not null));
        if (form.Name is not null) return form;
        string right = string.Join(", ", _forms.Where(f => gguf ? f.Gguf is not null : f.Folder is not null).Select(f => f.Name));
        throw new MistakeException($"--weights is \"{name}\", but has to be one of {right} for a {(gguf ? "GGUF file" : "Hugging Face folder (OUT does not end in .gguf)")}");
    }

    private static string Describe(ConversionProgress p, string to, TimeSpan elapsed)
    {
        double share = p.DoneElements / (double)Math.Max(1, p.TotalElements);
        string left = elapsed.TotalSeconds > 3 && share > 0.001 ? $", about {Figures.Duration(elapsed * ((1 - share) / share))} left" : "";
        return $"writing {to}: {100 * share:F0}%{left} ({p.Tensor})";
    }

    private static void Summarise(CommandContext context, string from, string to, string weights, TimeSpan elapsed)
    {
        using var written = Checkpoint.Open(to);
        long bytes = written.Tensors.Sum(t => t.ByteLength);
        var types = written.Tensors.GroupBy(t => t.TypeName).OrderByDescending(g => g.Sum(t => t.ByteLength)).Select(g => (Type: g.Key, Count: g.LongCount())).ToList();
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["in"] = from,
                ["out"] = to,
                ["weights"] = weights,
                ["bytes"] = bytes,
                ["dtypes"] = new JsonObject(types.Select(t => KeyValuePair.Create(t.Type, (JsonNode?)t.Count))),
                ["tensors"] = written.Tensors.Count,
                ["mtp_layers"] = written.MtpLayers,
                ["seconds"] = JsonOutput.Number(elapsed.TotalSeconds),
            });
            return;
        }

        context.Say($"{written.Tensors.Count} tensors, {Figures.Bytes(bytes)} ({string.Join(", ", types.Select(t => $"{t.Count} {t.Type}"))}): {to}");
    }
}
