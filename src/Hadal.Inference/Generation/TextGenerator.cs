using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Hadal.Inference.Cache;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;
using Hadal.Model.Tokenization;

namespace Hadal.Inference.Generation;

/// <summary>Text in, text out: one text at a time; further callers wait for their turn.</summary>
public sealed class TextGenerator : IDisposable
{
    // Room for this many generated tokens is made before the first; lists double behind.
    private const int ExpectedTokens = 4096;
    private readonly InferenceModel _model;
    private readonly Tokenizer _tokenizer;
    private readonly GeneratorOptions _options;
    private readonly LatentCache _cache;
    private readonly ModelRunner _runner;
    private readonly int[] _unused;
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>A generator.</summary>
    /// <param name="model">The model; has to outlive the generator.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="GenerationException">The tokenizer has tokens that the model does not know, or an option is out of range.</exception>
    public TextGenerator(InferenceModel model, Tokenizer tokenizer, GeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_model, _tokenizer, _options) = (model, tokenizer, options ?? new GeneratorOptions());
        if (tokenizer.VocabularySize > model.Config.VocabularySize)
        {
            throw new GenerationException(
                $"The tokenizer has ids up to {tokenizer.VocabularySize - 1}, but the model has {model.Config.VocabularySize} rows (vocab_size): "
                + "they do not belong together.");
        }

        if (_options.PrefillTokens < 1)
            throw new GenerationException($"Prompts cannot be computed {_options.PrefillTokens} tokens at a time; it has to be at least 1.");
        if (_options.ContextTokens < 1)
            throw new GenerationException($"A context of {_options.ContextTokens} tokens is too short; it has to be at least 1.");
        ContextTokens = Math.Min(_options.ContextTokens ?? int.MaxValue, model.Config.MaxPositions);
        _unused = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(id => !tokenizer.HasToken(id))];
        _cache = model.CreateCache(ContextTokens, _options.CacheType);
        _runner = new ModelRunner(model, _cache);
    }

    /// <summary>Longest context, prompt and text together, in tokens.</summary>
    public int ContextTokens { get; }

    /// <summary>The tokens of a request's prompt.</summary>
    /// <param name="request">The request.</param>
    /// <returns>The tokens.</returns>
    /// <exception cref="TokenizerException">A begin token is asked for and the tokenizer has none.</exception>
    public int[] Encode(GenerationRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.PromptTokens is { } tokens) return [.. tokens];
        int[] ids = _tokenizer.Encode(request.Prompt, new EncodeOptions { AddBos = request.AddBeginToken ?? false });
        if (request.AddBeginToken is not null || !_tokenizer.Settings.AddBosToken || _tokenizer.BosId is not { } begin) return ids;
        return ids.Length > 0 && ids[0] == begin ? ids : [begin, .. ids];
    }

    /// <summary>Generates a text.</summary>
    /// <param name="request">What to continue, and how.</param>
    /// <param name="onText">Told each piece of text as it becomes certain; or null.</param>
    /// <param name="prefill">Told how many tokens of the prompt are done; or null.</param>
    /// <param name="cancellation">Ends the text early; what there is so far is the result, with <see cref="FinishReason.Cancelled"/>.</param>
    /// <returns>The result.</returns>
    /// <exception cref="GenerationException">The prompt is empty or longer than the context, a setting is out of range, drafts are wanted of a model without an
    /// MTP module, or the model computes numbers that are not finite.</exception>
    /// <exception cref="TokenizerException">The prompt cannot be encoded.</exception>
    /// <exception cref="OperationCanceledException">Stopped while another text was being generated.</exception>
    public GenerationResult Generate(
        GenerationRequest request, Action<string>? onText = null, IProgress<int>? prefill = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.MaxTokens < 0) throw new GenerationException($"{request.MaxTokens} tokens cannot be generated; it has to be 0 or more.");
        var stopText = new StopText(request.StopStrings);
        int[] prompt = Encode(request);
        if (prompt.Length > ContextTokens)
        {
            throw new GenerationException(
                $"The prompt has {prompt.Length} tokens, but the context has room for {ContextTokens}"
                + $"{(ContextTokens == _model.Config.MaxPositions ? " (max_position_embeddings)" : "")}; shorten the prompt.",
                GenerationFault.ContextLength);
        }

        _turn.Wait(cancellation);
        try
        {
            int most = Math.Min(request.MaxTokens, ContextTokens - prompt.Length);
            using var sequence = _cache.CreateSequence(prompt, prompt.Length + Math.Min(most, ExpectedTokens) + Decoding.MostDrafts);
            var sampler = new Sampler(request.Sampling, _model.Config.VocabularySize, _tokenizer.VocabularySize, _unused);
            var text = new RunningText(_tokenizer, request.StopTokens ?? EndTokens(), stopText, request.SkipSpecialTokens);
            var decoding = new Decoding(_runner, sequence, sampler, request.Drafts);
            return Generate(decoding, sequence, text, onText, most, prefill, cancellation) with { Seed = sampler.Seed };
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Generates a text on another thread and hands it out piece by piece. Leaving the loop early ends the generation.</summary>
    /// <param name="request">What to continue, and how.</param>
    /// <param name="cancellation">Ends the text early; the last piece has what there is.</param>
    /// <returns>The pieces; the last one has the result.</returns>
    /// <exception cref="GenerationException">As for <see cref="Generate(GenerationRequest, Action{string}?, IProgress{int}?, CancellationToken)"/>.</exception>
    public async IAsyncEnumerable<GenerationUpdate> StreamAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var pieces = Channel.CreateUnbounded<GenerationUpdate>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        var work = Task.Run(
            () =>
            {
                try
                {
                    var result = Generate(request, text => pieces.Writer.TryWrite(new GenerationUpdate(text, null)), null, stop.Token);
                    pieces.Writer.TryWrite(new GenerationUpdate("", result));
                    pieces.Writer.Complete();
                }
                catch (Exception e)
                {
                    pieces.Writer.Complete(e);
                }
            },
            CancellationToken.None);
        try
        {
            await foreach (var piece in pieces.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false)) yield return piece;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _runner.Dispose();
        _cache.Dispose();
        _turn.Dispose();
    }

    private GenerationResult Generate(
        Decoding decoding,
        Sequence sequence,
        RunningText text,
        Action<string>? onText,
        int most,
        IProgress<int>? prefill,
        CancellationToken cancellation)
    {
        var reason = FinishReason.Length;
        long start = Stopwatch.GetTimestamp(), first = start, end = start;
        int generated = 0;
        try
        {
            if (most > 0)
            {
                _runner.Reserve(sequence.PromptLength + Math.Min(most, ExpectedTokens));
                bool ended = Take(decoding.Prefill(_options.PrefillTokens, prefill, cancellation));
                generated = 1;
                first = end = Stopwatch.GetTimestamp();
                var room = new int[decoding.Drafts + 1];
                while (!ended && generated < most)
                {
                    var tokens = room.AsSpan(0, Math.Min(room.Length, most - generated));
                    tokens = tokens[..decoding.Step(tokens, cancellation)];
                    generated += tokens.Length;
                    foreach (int token in tokens)
                    {
                        if (ended = Take(token)) break;
                    }

                    end = Stopwatch.GetTimestamp();
                }

                if (ended) reason = FinishReason.Stop;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            reason = FinishReason.Cancelled;
        }

        PassOn(text.Finish());
        return new GenerationResult
        {
            Text = text.Text,
            Tokens = text.Tokens,
            PromptTokens = sequence.PromptLength,
            FinishReason = reason,
            PrefillTokensPerSecond = Rate(sequence.PromptLength, first - start),
            TokensPerSecond = Rate(generated - 1, end - first),
            ProposedDrafts = decoding.Proposed,
            AcceptedDrafts = decoding.Accepted,
        };

        bool Take(int token)
        {
            PassOn(text.Take(token));
            return text.Ended;
        }

        void PassOn(string piece)
        {
            if (piece.Length > 0) onText?.Invoke(piece);
        }
    }

    private static double Rate(int tokens, long ticks) => tokens > 0 && ticks > 0 ? tokens * (double)Stopwatch.Frequency / ticks : 0;

    private int[] EndTokens() => [.. _model.Config.EndTokens, .. _tokenizer.EosId is { } end ? [end] : Array.Empty<int>()];
}
