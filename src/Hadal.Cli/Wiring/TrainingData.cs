using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Data.Corpora;
using Hadal.Data.Sources;
using Hadal.Model.Configuration;
using Hadal.Model.Tokenization;
using Hadal.Training.Batches;
using Hadal.Training.Runs;

namespace Hadal.Cli.Wiring;

/// <summary>What a run trains on: its text as tokens, cut into batches.</summary>
internal sealed class TrainingData : IRunData
{
    /// <summary>Cuts tokens that have been read into the batches of a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="corpus">Its tokens, as <see cref="Read"/> gives them.</param>
    public TrainingData(RunConfig run, TokenCorpus corpus)
    {
        Corpus = corpus;
        Training = new PackedBatches(corpus.Training, run.SequenceLength, run.MicroBatchSequences, run.BatchSequences / run.MicroBatchSequences, run.Seed);
        if (run.ValidationShare == 0) return;
        Validation = new ValidationWindows(corpus.Validation, run.SequenceLength, run.ValidationSequences == 0 ? int.MaxValue : run.ValidationSequences);
        ValidationMicroBatches = Validation.Count / run.MicroBatchSequences;
        if (ValidationMicroBatches == 0)
        {
            throw new MistakeException($"There are only {Validation.Count} sequences to validate on, but a micro-batch takes {run.MicroBatchSequences}; "
                + "give more text, a larger validation_share or validation_sequences, or smaller micro_batch_sequences");
        }
    }

    /// <summary>The tokens.</summary>
    public TokenCorpus Corpus { get; }

    /// <summary>What is trained on.</summary>
    public PackedBatches Training { get; }

    /// <summary>What the model is validated on; null for nothing.</summary>
    public ValidationWindows? Validation { get; }

    /// <summary>Micro-batches of a validation.</summary>
    public int ValidationMicroBatches { get; }

    IBatchSource IRunData.Training => Training;

    IBatchSource? IRunData.Validation => Validation;

    /// <summary>Reads, encodes and splits the text of a run.</summary>
    /// <param name="context">Where progress is shown and when to stop.</param>
    /// <param name="run">The run; its paths are not looked at.</param>
    /// <param name="model">Its model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="sources">Its text.</param>
    /// <param name="threads">Threads that encode; 0 for one per processor.</param>
    public static TrainingData Load(CommandContext context, RunConfig run, ModelConfig model, Tokenizer tokenizer, IReadOnlyList<IDocumentSource> sources, int threads) =>
        new(run, Read(context, run, model, tokenizer, sources, threads));

    /// <summary>Reads, encodes and splits the text of a run, without cutting it into batches; parameters as of <see cref="Load"/>.</summary>
    public static TokenCorpus Read(CommandContext context, RunConfig run, ModelConfig model, Tokenizer tokenizer, IReadOnlyList<IDocumentSource> sources, int threads)
    {
        if (tokenizer.VocabularySize > model.VocabularySize)
            throw new MistakeException($"The tokenizer has {tokenizer.VocabularySize} tokens, but the model only {model.VocabularySize} (vocab_size); vocab_size has to be at least as large");
        int end = tokenizer.EosId ?? (model.EndTokens is [var first, ..] ? first
            : throw new MistakeException("Neither the tokenizer nor the model (eos_token_id) has an end token to put behind each document"));
        using var status = new StatusLine(context.Streams);
        return TokenCorpus.Build(
            sources.SelectMany(s => s.Read(context.Say)),

            // Text of a corpus comes from anywhere: a control token that it spells is text.
            text => tokenizer.Encode(text, EncodeOptions.Untrusted),
            new TokenCorpusOptions
            {
                VocabularySize = model.VocabularySize,
                EndOfSequenceId = end,
                ValidationFraction = run.ValidationShare,
                Seed = run.SplitSeed ?? run.Seed,
                Threads = threads == 0 ? Environment.ProcessorCount : threads,
            },
            new Report<long>(tokens => status.Show(() => $"reading the text: {Figures.Whole(tokens)} tokens")),
            context.Cancellation);
    }

    /// <summary>For instance <c>2,381,402 tokens to train on, 48,211 to validate on</c>.</summary>
    public string Describe() => $"{Figures.Whole(Corpus.Training.Count)} tokens to train on, {Figures.Whole(Corpus.Validation.Count)} to validate on";

    void IDisposable.Dispose()
    {
    }
}
