using Hadal.Model.Checkpoints.Gguf;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>Writes a model in another form: a GGUF file, or a Hugging Face folder with weights of another type.</summary>
/// <remarks>A few rows are in memory at a time. The new file or folder appears under its name only when it is complete and on the disk.</remarks>
public static class ModelConversion
{
    private static readonly string[] _carriedFiles = ["tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json", "generation_config.json"];

    /// <summary>Writes a GGUF file of the architecture <c>deepseek2</c>, MTP layers and tokenizer included.</summary>
    /// <param name="source">The model.</param>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="weights">How weights are stored.</param>
    /// <param name="progress">Told how far it is; null for nobody.</param>
    /// <param name="cancellation">Stops the writing; nothing is left behind.</param>
    /// <exception cref="CheckpointException">The configuration has something that a GGUF file cannot say, a value does not fit the format, or the file cannot be
    /// written. What was there is untouched.</exception>
    /// <exception cref="TokenizerException">The tokenizer is of a kind that GGUF files cannot name.</exception>
    public static void ToGguf(
        Checkpoint source, string path, GgufWeights weights, IProgress<ConversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path)) throw new CheckpointException(path, null, "this is a folder, but a GGUF file is to be written");
        var rules = new GgufTypeRules(weights, source.Config.Layers + source.MtpLayers, source.Config.RoutedExperts);
        var pairs = GgufDescription.Write(source, rules, Path.GetFileNameWithoutExtension(path));
        if (!GgufDescription.AddTokenizer(pairs, source)) pairs.Add(GgufTokenizer.Model, "none");
        GgufWriter.Write(path, pairs, [.. new GgufLayout(source, rules).Entries()], progress, cancellation);
    }

    /// <summary>Writes a Hugging Face folder with its tokenizer files.</summary>
    /// <param name="source">The model.</param>
    /// <param name="folder">The folder; one that is there is replaced if it is empty or holds a model.</param>
    /// <param name="type">F32, BF16, or F8E4M3 for FP8 in blocks of 128 × 128 with FP32 scales (report section 3.3.2).</param>
    /// <param name="progress">Told how far it is; null for nobody.</param>
    /// <param name="cancellation">Stops the writing; nothing is left behind.</param>
    /// <exception cref="CheckpointException">The folder cannot be written, or holds something else. What was there is untouched.</exception>
    /// <exception cref="TokenizerException">The tokenizer of a GGUF file cannot be used.</exception>
    public static void ToFolder(
        Checkpoint source, string folder, DType type, IProgress<ConversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var config = source.Config with { MtpLayers = source.MtpLayers };
        // FP8 asks for the values twice: for the scales and for the codes.
        long total = (config.ParameterCount + config.MtpParameterCount) * (type == DType.F8E4M3 ? 2 : 1), done = 0;
        var options = new CheckpointOptions { Type = type, CopiedFiles = FilesBeside(source), AddedFiles = FilesInside(source) };
        CheckpointWriter.Write(folder, config, (spec, first, rows, destination) =>
        {
            source.ReadRows(spec.Name, first, rows, destination);
            done = Math.Min(total, done + destination.Length);
            progress?.Report(new ConversionProgress(done, total, spec.Name));
        }, options, cancellation);
    }

    private static List<string> FilesBeside(Checkpoint source)
    {
        if (source.IsGguf) return [];
        var files = _carriedFiles.Select(name => Path.Combine(source.Folder, name)).Where(File.Exists).ToList();
        if (TokenizerFolder.FindFile(source.Folder) is { } tokenizer) files.Add(tokenizer);
        return files;
    }

    private static Dictionary<string, ReadOnlyMemory<byte>> FilesInside(Checkpoint source)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>();
        if (source.Metadata is not { } metadata || metadata.Text(GgufTokenizer.Model) is null or "none" or "no_vocab") return files;
        files.Add("tokenizer.json", GgufTokenizer.FileOf(metadata));
        files.Add("tokenizer_config.json", GgufTokenizer.SettingsFileOf(GgufTokenizer.SettingsOf(metadata)));
        return files;
    }
}
