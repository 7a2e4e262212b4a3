using System.Text.Json.Nodes;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Model.Tokenization;
using Hadal.Training.Presets;
using Hadal.Training.Runs;

namespace Hadal.Cli.Wiring;

/// <summary>A run file, with its paths made ready for the folder of the run.</summary>
/// <param name="Run">The run; paths are relative to its folder, so that the copy that lies there works as a run file too.</param>
/// <param name="Model">Its model.</param>
/// <param name="Folder">The run's folder, absolute.</param>
internal sealed record RunFile(RunConfig Run, ModelConfig Model, string Folder)
{
    /// <summary>Reads and checks a run file.</summary>
    /// <param name="path">The file; its paths are relative to where it lies.</param>
    /// <param name="folder">The folder of the run.</param>
    public static RunFile Load(string path, string folder) =>
        Of(RunConfig.Load(path), path, Path.GetDirectoryName(Path.GetFullPath(path))!, folder);

    /// <summary>Makes a run ready for its folder.</summary>
    /// <param name="run">The run.</param>
    /// <param name="name">What to call its file in messages.</param>
    /// <param name="home">The folder that its paths are relative to.</param>
    /// <param name="folder">The folder of the run.</param>
    public static RunFile Of(RunConfig run, string name, string home, string folder)
    {
        folder = Path.GetFullPath(folder);

        // The run keeps what it took from there: it has to go on when the folder is gone.
        if (run.Tokenizer.Length == 0) run = run with { Tokenizer = run.StartFrom! };
        if (run.Model.Count == 0) run = run with { Model = ModelOf(Path.GetFullPath(run.StartFrom!, home)) };
        return new RunFile(
            run with { Tokenizer = Moved(run.Tokenizer), StartFrom = run.StartFrom is { } start ? Moved(start) : null, Data = [.. run.Data.Select(d => d == TrainingText.DotnetDocumentationName ? d : Moved(d))] },
            run.ReadModel(name),
            folder);

        string Moved(string name) => Path.GetRelativePath(folder, Path.GetFullPath(name, home)).Replace('\\', '/');
    }

    private static JsonObject ModelOf(string folder)
    {
        using var checkpoint = Checkpoint.Open(folder);
        return (JsonObject)JsonNode.Parse(checkpoint.Config.ToJson())!;
    }

    /// <summary>A run from a preset.</summary>
    /// <param name="preset">The preset.</param>
    /// <param name="tokenizer">A tokenizer, or null if the run only wants to be looked at.</param>
    /// <param name="data">Files and folders of text.</param>
    /// <param name="folder">The folder of the run or, for a run file that is to be written, its folder.</param>
    public static RunFile Of(RunPreset preset, string? tokenizer, IReadOnlyList<string> data, string folder)
    {
        folder = Path.GetFullPath(folder);
        int? vocabulary = tokenizer is null ? null : Tokenizer.Load(tokenizer).VocabularySize;
        var run = preset.ToRun(tokenizer is null ? null : Relative(tokenizer), [.. data.Select(d => d == TrainingText.DotnetDocumentationName ? d : Relative(d))], vocabulary);
        return new RunFile(run, run.ReadModel(preset.Name), folder);

        string Relative(string path) => Path.GetRelativePath(folder, Path.GetFullPath(path)).Replace('\\', '/');
    }

    /// <summary>Where the tokenizer is.</summary>
    public string TokenizerPath => Path.GetFullPath(Run.Tokenizer, Folder);
}
