using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Model.Tokenization;

namespace Hadal.Cli.Wiring;

/// <summary>Opens what a run file names as its data: text, which is encoded, or a dataset of token shards, which is mapped into memory.</summary>
internal static class RunData
{
    /// <summary>Opens the data of a run.</summary>
    /// <param name="context">Where progress is shown and when to stop.</param>
    /// <param name="file">The run.</param>
    /// <param name="threads">Threads that encode text; 0 for one per processor.</param>
    public static IRunData Load(CommandContext context, RunFile file, int threads)
    {
        var tokenizer = Tokenizer.Load(file.TokenizerPath);
        if (ShardData.Find(file) is { } dataset) return ShardData.Open(file, dataset);
        RequireText(file);
        return TrainingData.Load(context, file.Run, file.Model, tokenizer, TrainingText.Open(file.Run.Data, file.Folder), threads);
    }

    /// <summary>Refuses settings that only a dataset can follow.</summary>
    public static void RequireText(RunFile file)
    {
        string? field = file.Run.DataWeights is not null ? "data_weights" : file.Run.DocumentMask ? "document_mask" : null;
        if (field is not null) throw new MistakeException($"{field} is for a dataset of token shards, but data names text; make a dataset with hadal data build, or leave {field} out");
    }
}
