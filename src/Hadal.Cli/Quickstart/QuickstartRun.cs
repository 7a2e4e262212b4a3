using System.Diagnostics;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Data.Baselines;
using Hadal.Data.Sources;
using Hadal.Inference.Generation;
using Hadal.Inference.Sampling;
using Hadal.Model.Configuration;
using Hadal.Model.Tokenization;
using Hadal.Numerics;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Cli.Quickstart;

/// <summary>From raw text to a talking model: text, tokenizer, training by the clock, the written model loaded again, completions with and without drafts.</summary>
internal sealed class QuickstartRun(CommandContext context, string folder, IReadOnlyList<string> data, TimeSpan time, ulong seed, int threads)
{
    private const int TokenizerCharacters = 6_000_000, SampleTokens = 64, Drafts = 2;
    private static readonly TimeSpan _trialTime = TimeSpan.FromSeconds(4);

    // Shared machines slow down and recover: a run may take so much longer than planned before it is cut.
    private const double Patience = 1.3;
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(30);

    public QuickstartResult Run()
    {
        CheckFolder();
        var sources = TrainingText.Open([TrainingText.DotnetDocumentationName, .. data], Environment.CurrentDirectory);
        Directory.CreateDirectory(folder);
        var tokenizer = TrainTokenizer(sources);
        var plan = QuickstartPlan.Run(tokenizer.VocabularySize, data.Select(d => Path.GetRelativePath(folder, Path.GetFullPath(d)).Replace('\\', '/')), seed);
        var model = ModelConfig.Parse(System.Text.Encoding.UTF8.GetBytes(plan.Model.ToJsonString()), "the model of the quickstart");
        var text = TrainingData.Load(context, plan, model, tokenizer, sources, threads);
        context.Say($"Text: {text.Describe()}.");

        using var backend = new CpuBackend(threads);
        var perStep = SpeedTrial.Measure(plan.For(1000), model, backend, text.Training, _trialTime, context.Cancellation);
        int steps = (int)Math.Clamp((time - _trialTime) / perStep * 0.97, 2, 1_000_000);
        plan = plan.For(steps);
        context.Say($"Model: {Figures.Count(model.ParameterCount + model.MtpParameterCount)} parameters, {Figures.Count(model.ActiveParameterCount)} active per token; {backend.Name}.");

        var (metrics, elapsed) = Train(plan, model, text, backend);
        var bigram = BigramModel.Train(text.Training, metrics[^1].Step).CrossEntropy(text.Validation!);
        var samples = Complete(tokenizer, sources, backend, out double acceptance);
        return new QuickstartResult
        {
            Run = plan,
            Model = model,
            Steps = metrics,
            TrainingTime = elapsed,
            ValidationLoss = metrics[^1].ValidationLoss!.Value,
            BigramLoss = bigram,
            Samples = samples,
            AcceptanceRate = acceptance,
        };
    }

    private string TokenizerFolder => Path.Combine(folder, "tokenizer");

    // A folder of an earlier quickstart is written over; anything else is somebody's.
    private void CheckFolder()
    {
        if (File.Exists(folder)) throw new MistakeException($"{folder} is a file; --out has to name a folder");
        if (!Directory.Exists(folder)) return;
        if (!File.Exists(Path.Combine(folder, "run.json")) && !Directory.Exists(TokenizerFolder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new MistakeException($"{folder} holds something other than an earlier quickstart; choose another --out, or empty it");
        string checkpoints = Path.Combine(folder, "checkpoints");
        if (Directory.Exists(checkpoints)) Directory.Delete(checkpoints, recursive: true);
    }

    private Tokenizer TrainTokenizer(IReadOnlyList<IDocumentSource> sources)
    {
        using var status = new StatusLine(context.Streams);
        status.Show(() => "training the tokenizer");
        var trained = BpeTrainer.Train(
            Spread(sources).Select(d => d.Text),
            new BpeTrainerOptions { VocabularySize = QuickstartPlan.VocabularySize, AddedTokens = DeepSeekTokens.FimAndChat }, context.Cancellation);
        trained.Save(TokenizerFolder);
        status.Dispose();
        context.Say($"Tokenizer: {Figures.Whole(trained.VocabularySize)} tokens, trained on {string.Join(" and ", sources.Select(s => s.Description))}.");
        return trained.Tokenizer;
    }

    // Every n-th document, so that a sample of bounded size sees all of the text.
    private IEnumerable<Document> Spread(IReadOnlyList<IDocumentSource> sources)
    {
        var documents = sources.SelectMany(s => s.Read()).ToList();
        long characters = documents.Sum(d => (long)d.Text.Length);
        int every = (int)Math.Max(1, characters / TokenizerCharacters);
        for (int i = 0; i < documents.Count; i += every)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            yield return documents[i];
        }
    }

    private (IReadOnlyList<StepMetrics> Metrics, TimeSpan Elapsed) Train(RunConfig plan, ModelConfig model, TrainingData text, CpuBackend backend)
    {
        using var run = new TrainingRun(
            plan, model, folder, backend, text.Training, text.Validation, text.ValidationMicroBatches, TokenizerFiles.Find(TokenizerFolder, TokenizerFolder))
        {
            TimeLimit = time * Patience + _grace,
        };
        var metrics = new List<StepMetrics>();
        long started = Stopwatch.GetTimestamp();
        try
        {
            using var view = LiveTrainingView.Start(context.Error, "training", plan.Steps, time);
            run.Run(
                step =>
                {
                    metrics.Add(step);
                    view.Report(step);
                },
                context.Cancellation);
            view.Complete();
            if (run.StepsDone < plan.Steps) context.Say($"The machine has become slower; training ended at step {run.StepsDone} of {plan.Steps}.");
        }
        catch (OperationCanceledException)
        {
            string config = Path.Combine(folder, "run.json");
            throw new StoppedException(run.StepsDone == 0
                ? "Stopped before the first step; there was nothing to keep."
                : $"Stopped after step {run.StepsDone} of {plan.Steps}; hadal train --config {config} --out {folder} goes on from there.", context.Cancellation);
        }

        return (metrics, Stopwatch.GetElapsedTime(started));
    }

    private List<QuickstartSample> Complete(Tokenizer tokenizer, IReadOnlyList<IDocumentSource> sources, CpuBackend backend, out double acceptance)
    {
        string modelFolder = Path.Combine(folder, "model");
        using var model = Inference.Weights.InferenceModel.Load(modelFolder, backend, new Inference.Weights.LoadOptions { Mtp = true }, null, context.Cancellation);
        using var generator = new TextGenerator(model, tokenizer);
        long proposed = 0, accepted = 0;
        var samples = new List<QuickstartSample>();
        foreach (string prompt in Prompts(sources))
        {
            var request = new GenerationRequest { Prompt = prompt, MaxTokens = SampleTokens, Sampling = new SamplingOptions { RepetitionPenalty = 1.1 } };
            var plain = generator.Generate(request, null, null, context.Cancellation);
            var drafted = generator.Generate(request with { Drafts = Drafts }, null, null, context.Cancellation);
            context.Cancellation.ThrowIfCancellationRequested();
            proposed += drafted.ProposedDrafts;
            accepted += drafted.AcceptedDrafts;
            samples.Add(new QuickstartSample(prompt, plain.Text, drafted.Text, drafted.AcceptanceRate, plain.TokensPerSecond, drafted.TokensPerSecond));
        }

        acceptance = proposed == 0 ? 0 : (double)accepted / proposed;
        return samples;
    }

    // Openings that the documentation has by the thousand, then openings of the person's own texts.
    private static IEnumerable<string> Prompts(IReadOnlyList<IDocumentSource> sources)
    {
        yield return "Gets or sets a value that indicates whether the";
        yield return "Returns the number of";
        yield return "The exception that is thrown when";
        foreach (var source in sources.Skip(1).Take(2))
        {
            if (source.Read().FirstOrDefault() is not { } document) continue;
            string[] words = document.Text.Split((char[]?)null, 9, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1) yield return string.Join(' ', words.Take(8));
        }
    }
}
