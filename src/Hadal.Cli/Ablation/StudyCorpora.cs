using Hadal.Cli.CommandLine;
using Hadal.Cli.Wiring;
using Hadal.Data.Corpora;
using Hadal.Model.Tokenization;

namespace Hadal.Cli.Ablation;

/// <summary>The text of a study as tokens, read once however many runs there are.</summary>
/// <param name="context">Where progress is shown and when to stop.</param>
/// <param name="threads">Threads that encode; 0 for one per processor.</param>
internal sealed class StudyCorpora(CommandContext context, int threads)
{
    private readonly Dictionary<string, TokenCorpus> _corpora = new(StringComparer.Ordinal);

    /// <summary>The batches of a run.</summary>
    public IRunData Open(RunFile file)
    {
        if (ShardData.Find(file) is { } dataset) return ShardData.Open(file, dataset);
        RunData.RequireText(file);

        // What decides the tokens and their split; sequence length and batch only cut them.
        string key = string.Join('\0', [file.TokenizerPath, .. file.Run.Data.Select(d => d == TrainingText.DotnetDocumentationName ? d : Path.GetFullPath(d, file.Folder)),
            $"{file.Run.ValidationShare:R}", $"{file.Run.SplitSeed ?? file.Run.Seed}", $"{file.Model.VocabularySize}", string.Join(',', file.Model.EndTokens)]);
        if (!_corpora.TryGetValue(key, out var corpus))
        {
            var sources = TrainingText.Open(file.Run.Data, file.Folder);
            corpus = TrainingData.Read(context, file.Run, file.Model, Tokenizer.Load(file.TokenizerPath), sources, threads);
            _corpora.Add(key, corpus);
            context.Say(new TrainingData(file.Run, corpus).Describe());
        }

        return new TrainingData(file.Run, corpus);
    }
}
