using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal inspect</c>: what a model is and what it costs.</summary>
internal sealed class InspectCommand : HadalCommand
{
    private readonly Argument<string> _model = new("MODEL") { Description = "A Hugging Face folder, a .gguf file, or a config.json alone." };

    public InspectCommand()
        : base("inspect", "Show what a model is: configuration, sizes, element types, parameters, cache.",
            "hadal inspect quickstart/model", "hadal inspect ~/models/DeepSeek-V3 --json", "hadal inspect model.gguf", "hadal inspect config.json") => Arguments.Add(_model);

    protected override int Run(CommandContext context)
    {
        string path = context.Get(_model);
        if (File.Exists(path) && path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            var config = ModelConfig.Load(path);
            var planned = new TensorCatalog(config).Tensors.Where(t => t.CopyOf is null);
            Show(context, path, config, config.MtpLayers, TypeCount.Of(planned.Select(t => (t.Type.SafetensorsName(), t.Count, t.ByteLength))), fromFiles: false);
            return ExitCodes.Success;
        }

        using var checkpoint = Checkpoint.Open(ModelFolder.Check(path));
        Show(context, path, checkpoint.Config, checkpoint.MtpLayers, TypeCount.Of(checkpoint.Tensors.Select(t => (t.TypeName, t.Shape.Count, t.ByteLength))), fromFiles: true);
        return ExitCodes.Success;
    }

    private static void Show(CommandContext context, string path, ModelConfig config, int mtpLayers, IReadOnlyList<TypeCount> types, bool fromFiles)
    {
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, ToJson(config, mtpLayers, types));
            return;
        }

        Describe(path, config, mtpLayers).Write(context);
        context.Streams.Out.WriteLine();
        Sizes(config, types, fromFiles).Write(context);
        context.Streams.Out.WriteLine();
        WriteTypes(context, types, fromFiles);
    }

    private static JsonObject ToJson(ModelConfig config, int mtpLayers, IReadOnlyList<TypeCount> types) => new()
    {
        ["architecture"] = config.ModelType,
        ["layers"] = config.Layers,
        ["parameters"] = config.ParameterCount,
        ["active_parameters"] = config.ActiveParameterCount,
        ["mtp_parameters"] = config.MtpParameterCount,
        ["cache_bytes_per_token"] = config.CacheBytesPerToken,
        ["dtypes"] = new JsonObject(types.Select(t => KeyValuePair.Create(t.Type, (JsonNode?)t.Tensors))),
        ["tensors"] = types.Sum(t => t.Tensors),
        ["bytes"] = types.Sum(t => t.Bytes),
        ["mtp_layers"] = mtpLayers,
        ["vocabulary"] = config.VocabularySize,
        ["hidden_size"] = config.HiddenSize,
        ["heads"] = config.Heads,
        ["routed_experts"] = config.RoutedExperts,
        ["experts_per_token"] = config.ExpertsPerToken,
        ["shared_experts"] = config.SharedExperts,
        ["max_positions"] = config.MaxPositions,
    };

    private static FactSheet Describe(string path, ModelConfig c, int mtpLayers)
    {
        string experts = c.RoutedExperts == 0 ? "none" : $"{c.RoutedExperts} routed, {c.ExpertsPerToken} per token, {c.SharedExperts} shared, in {c.ExpertLayers} of {c.Layers} layers";
        string groups = c.Groups > 1 ? $", {c.KeptGroups} of {c.Groups} groups" : "";
        string mtp = c.MtpLayers == 0 ? "none" : mtpLayers == c.MtpLayers ? $"{mtpLayers}" : $"{mtpLayers} of the {c.MtpLayers} that the configuration announces";
        string yarn = c.Yarn is { } y ? $", YaRN ×{Figures.Number(y.Factor)} from {Figures.Whole(y.OriginalMaxPositions)}" : "";
        string query = c.QueryLatentRank is { } rank ? $"query latent {rank}" : "no query latent";
        return new FactSheet(path)
            .Add("architecture", c.ModelType)
            .Add("layers", $"{c.Layers} of width {c.HiddenSize}, the first {c.DenseLayers} dense")
            .Add("attention", $"{c.Heads} heads of {c.NopeWidth} + {c.RopeWidth}, values {c.ValueWidth}, {query}, key-value latent {c.LatentRank}")
            .Add("experts", experts + (c.RoutedExperts == 0 ? "" : $"; {c.Scoring.ToString().ToLowerInvariant()} scores{groups}"))
            .Add("MTP modules", mtp)
            .Add("vocabulary", Figures.Whole(c.VocabularySize))
            .Add("context", $"{Figures.Whole(c.MaxPositions)} tokens{yarn}")
            .Add("quantisation", c.Quantization is { } q ? $"FP8 in blocks of {q.BlockRows} × {q.BlockColumns}" : "none");
    }

    private static FactSheet Sizes(ModelConfig config, IReadOnlyList<TypeCount> types, bool fromFiles) => new FactSheet("Sizes")
        .Add("parameters", Count(config.ParameterCount))
        .Add("active per token", Count(config.ActiveParameterCount))
        .Add("MTP parameters", Count(config.MtpParameterCount))
        .Add(fromFiles ? "weights in the files" : "weights as configured", Figures.Bytes(types.Sum(t => t.Bytes)))
        .Add("cache per token", $"{Figures.Whole(config.CacheBytesPerToken)} bytes in BF16 ({Figures.Bytes((double)config.CacheBytesPerToken * config.MaxPositions)} for a full context)");

    private static string Count(long count) => count < 10_000 ? Figures.Whole(count) : $"{Figures.Whole(count)} ({Figures.Count(count)})";

    private static void WriteTypes(CommandContext context, IReadOnlyList<TypeCount> types, bool fromFiles)
    {
        string title = fromFiles ? "Tensors in the files" : "Tensors as configured";
        if (!context.Streams.OutIsTerminal)
        {
            var sheet = new FactSheet(title);
            foreach (var t in types) sheet.Add(t.Type, $"{Figures.Whole(t.Tensors)} tensors, {Figures.Whole(t.Elements)} elements, {Figures.Bytes(t.Bytes)}");
            sheet.Write(context);
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumn("type").AddColumns(
            new TableColumn("tensors").RightAligned(), new TableColumn("elements").RightAligned(), new TableColumn("size").RightAligned());
        foreach (var t in types) table.AddRow(t.Type, Figures.Whole(t.Tensors), Figures.Whole(t.Elements), Figures.Bytes(t.Bytes));
        context.Out.MarkupLine($"[bold]{title}[/]");
        context.Out.Write(table);
    }

    private sealed record TypeCount(string Type, long Tensors, long Elements, long Bytes)
    {
        public static IReadOnlyList<TypeCount> Of(IEnumerable<(string Type, long Count, long Bytes)> tensors) =>
            [.. tensors.GroupBy(t => t.Type).Select(g => new TypeCount(g.Key, g.LongCount(), g.Sum(t => t.Count), g.Sum(t => t.Bytes))).OrderByDescending(t => t.Bytes)];
    }
}
