using System.Globalization;
using System.Text.Json.Nodes;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Data.Shards;
using Hadal.Model.Tokenization;
using Hadal.Training.Batches;
using Hadal.Training.Runs;

namespace Hadal.Cli.Wiring;

/// <summary>A dataset of token shards as the batches of a run.</summary>
internal sealed class ShardData : IRunData
{
    private readonly TokenShards _shards;
    private readonly ShardBatches _training;
    private readonly ShardValidation? _validation;
    private readonly long _sequences;

    private ShardData(RunConfig run, TokenShards shards)
    {
        var options = new ShardBatchOptions
        {
            SequenceLength = run.SequenceLength,
            BatchSequences = run.BatchSequences,
            MicroBatchSequences = run.MicroBatchSequences,
            Seed = run.Seed,
            SplitSeed = run.SplitSeed ?? run.Seed,
            ValidationShare = run.ValidationShare,
            Weights = run.DataWeights,
            MaskDocuments = run.DocumentMask,
        };
        (_shards, _training, _sequences) = (shards, new ShardBatches(shards, options), run.Tokens / run.SequenceLength);
        if (run.ValidationShare == 0) return;
        _validation = new ShardValidation(shards, options, run.ValidationSequences == 0 ? int.MaxValue : run.ValidationSequences);
        ValidationMicroBatches = _validation.Count / run.MicroBatchSequences;
        if (ValidationMicroBatches == 0)
        {
            throw new MistakeException($"{shards.Folder} has only {_validation.Count} rows to validate on, but a micro-batch takes {run.MicroBatchSequences}; "
                + "a larger validation_share or validation_sequences, or smaller micro_batch_sequences, or validation_share 0, would do");
        }
    }

    /// <inheritdoc/>
    public IBatchSource Training => _training;

    /// <inheritdoc/>
    public IBatchSource? Validation => _validation;

    /// <inheritdoc/>
    public int ValidationMicroBatches { get; }

    /// <summary>The dataset that a run reads, if it reads one.</summary>
    public static string? Find(RunFile file)
    {
        string[] paths = [.. file.Run.Data.Where(d => d != TrainingText.DotnetDocumentationName).Select(d => Path.GetFullPath(d, file.Folder))];
        string? dataset = paths.Select(TokenShards.Locate).FirstOrDefault(found => found is not null);
        if (dataset is not null && file.Run.Data.Count > 1)
            throw new MistakeException($"data names {dataset}, a dataset of token shards, beside something else; a run reads one dataset, whose groups data_weights can weigh");
        return dataset;
    }

    /// <summary>Opens a dataset and checks that it is for this run.</summary>
    /// <param name="file">The run.</param>
    /// <param name="folder">What <see cref="Find"/> found.</param>
    public static ShardData Open(RunFile file, string folder)
    {
        var shards = TokenShards.Open(folder);
        try
        {
            if (shards.VocabularySize > file.Model.VocabularySize)
                throw new MistakeException($"The tokens of {folder} are of a vocabulary of {shards.VocabularySize}, but the model has only {file.Model.VocabularySize} (vocab_size); vocab_size has to be at least as large");
            RequireTokenizer(file, shards);
            return new ShardData(file.Run, shards);
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Describe()
    {
        string validation = _validation is null ? "" : $", {Figures.Whole(_validation.Count)} to validate on";
        return $"{Figures.Whole(_training.RowsToTrainOn)} rows of {Figures.Whole(_shards.RowTokens)} tokens to train on{validation}; {Passes()}";
    }

    /// <summary>For a plan: <c>49,152 rows of 4,096 tokens, 201,100,288 in all (99.9% of the places)…</c>.</summary>
    public string DescribeWhole() =>
        $"{Figures.Whole(_shards.Rows)} rows of {Figures.Whole(_shards.RowTokens)} tokens, {Figures.Whole(_shards.Tokens)} in all ({Figures.Percent(_shards.Fill)} of the places), from {Figures.Whole(_shards.Documents)} documents; {Describe()}";

    /// <summary>The same as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["folder"] = _shards.Folder,
        ["row_tokens"] = _shards.RowTokens,
        ["rows"] = _shards.Rows,
        ["tokens"] = _shards.Tokens,
        ["fill"] = _shards.Fill,
        ["documents"] = _shards.Documents,
        ["training_rows"] = _training.RowsToTrainOn,
        ["validation_rows"] = _validation?.Count ?? 0,
        ["epochs"] = Epochs,
        ["groups"] = new JsonArray([.. _training.Groups.Select(g => new JsonObject
        {
            ["name"] = g.Group,
            ["training_rows"] = g.Rows,
            ["share"] = g.Share,
            ["epochs"] = g.Epochs(_sequences),
        })]),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _training.Dispose();
        _shards.Dispose();
    }

    private double Epochs => _sequences / (double)_training.RowsToTrainOn;

    private string Passes()
    {
        string groups = _training.Groups.Count < 2 ? "" : $": {string.Join("; ", _training.Groups.Select(Passes))}";
        return $"the run goes through them {Number(Epochs)} times{groups}";
    }

    private string Passes(GroupShare g) =>
        g.Share == 0 ? $"{ScreenText.Harmless(g.Group)} is left out" : $"{ScreenText.Harmless(g.Group)} {Figures.Percent(g.Share)}, {Number(g.Epochs(_sequences))} times";

    private static string Number(double value) => value.ToString(value < 10 ? "0.00" : "#,0.0", CultureInfo.InvariantCulture);

    // A dataset of an unknown tokenizer, and a tokenizer from a GGUF file, cannot be checked; a plan does without a tokenizer.
    private static void RequireTokenizer(RunFile file, TokenShards shards)
    {
        if (!Path.Exists(file.TokenizerPath)) return;
        if (shards.TokenizerSha256 is not { } wanted || Tokenizer.FileSha256(file.TokenizerPath) is not { } found || found == wanted) return;
        throw new MistakeException($"The tokens of {shards.Folder} were made by another tokenizer (SHA-256 {wanted[..12]}…) than {file.TokenizerPath} ({found[..12]}…); "
            + "tokenizer has to name the one that the dataset was built with");
    }
}
