using System.Collections.Concurrent;
using Hadal.Inference.Cache;
using Hadal.Inference.Generation;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;
using Hadal.Model.Tokenization;

namespace Hadal.Inference.Batching;

/// <summary>Generates many texts at once: every step computes the next tokens of all of them and pieces of prompts of new ones (continuous batching).</summary>
/// <remarks>
/// <para>A text is the same, token by token, whoever else is served, however prompts are cut, with and without drafts, and whether its prompt was reused. A
/// sampled token is drawn with the random number of its place; a draft stands if it is what was drawn, so that drafts do not touch the sequence of random
/// numbers.</para>
/// <para>Thread-safe: requests may come from any thread. One thread of the engine runs the steps.</para>
/// </remarks>
public sealed partial class InferenceEngine : IAsyncDisposable
{
    private readonly InferenceModel _model;
    private readonly Tokenizer _tokenizer;
    private readonly EngineOptions _options;
    private readonly LatentCache _cache;
    private readonly ModelRunner _runner;
    private readonly PrefixIndex? _prefixes;
    private readonly Scheduler _scheduler;
    private readonly ExpertLoad? _load;
    private readonly int[] _unused;

    // Samplers get the room of whoever chooses; this one only gives them something to begin with.
    private readonly SamplingRoom _submitRoom;
    private readonly int[] _endTokens;
    private readonly int _mostDrafts;
    private readonly ConcurrentQueue<RunningSequence> _arrivals = new();
    private readonly object _work = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private long _arrival;
    private int _pending;
    private bool _draining;
    private bool _woken;
    private volatile bool _stopping;

    /// <summary>An engine, ready for requests.</summary>
    /// <param name="model">The model; has to outlive the engine.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="GenerationException">The tokenizer has tokens that the model does not know, or an option is out of range.</exception>
    public InferenceEngine(InferenceModel model, Tokenizer tokenizer, EngineOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_model, _tokenizer, _options) = (model, tokenizer, options ?? new EngineOptions());
        _options.Validate();
        if (tokenizer.VocabularySize > model.Config.VocabularySize)
        {
            throw new GenerationException(
                $"The tokenizer has ids up to {tokenizer.VocabularySize - 1}, but the model has {model.Config.VocabularySize} rows (vocab_size): "
                + "they do not belong together.");
        }

        _mostDrafts = model.HasMtp ? _options.MostDrafts : 0;
        ContextTokens = Math.Min(_options.ContextTokens ?? int.MaxValue, model.Config.MaxPositions);
        int least = ContextTokens + _mostDrafts + 2 * LatentCache.PageTokens;
        CacheTokens = Math.Max(least, _options.CacheTokens ?? (int)Math.Min(8L * ContextTokens, 131072));
        if (_options.CacheTokens is { } wanted && wanted < ContextTokens)
        {
            throw new GenerationException(
                $"A cache of {wanted} tokens cannot hold a context of {ContextTokens}; give the cache more tokens or shorten the context.");
        }

        _unused = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(id => !tokenizer.HasToken(id))];
        _drafts = new int[_options.MostSequences];
        _hidden = new float[model.Config.HiddenSize];
        _endTokens = [.. model.Config.EndTokens, .. tokenizer.EosId is { } end ? [end] : Array.Empty<int>()];
        _submitRoom = new SamplingRoom(model.Config.VocabularySize, tokenizer.VocabularySize);
        _cache = model.CreateCache(CacheTokens, _options.CacheType);
        _prefixes = _options.ReusePrefixes ? _cache.KeepPrefixes() : null;
        _runner = new ModelRunner(model, _cache);
        if (model.Config.RoutedExperts > 0) _runner.Observer = _load = new ExpertLoad(model.Backend, model.Config.Layers, model.Config.RoutedExperts);
        _scheduler = new Scheduler(_cache, _prefixes, _options, _mostDrafts);
        _thread = new Thread(Run) { IsBackground = true, Name = "hadal engine" };
        _thread.Start();
    }

    /// <summary>Longest context, prompt and text together, in tokens.</summary>
    public int ContextTokens { get; }

    /// <summary>Tokens that the latent cache holds at most.</summary>
    public int CacheTokens { get; }

    /// <summary>Tokens drafted for a text and step at most; 0 without an MTP module.</summary>
    public int MostDrafts => _mostDrafts;

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer => _tokenizer;

    /// <summary>The model.</summary>
    public InferenceModel Model => _model;

    /// <summary>Takes a request.</summary>
    /// <param name="request">What to continue, and how.</param>
    /// <returns>The text as it comes.</returns>
    /// <exception cref="GenerationException">The prompt is empty, leaves no room in the context or has unknown tokens, or a setting is out of
    /// range.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait, or the engine is stopping.</exception>
    public EngineText Submit(EngineRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        int length = request.PromptTokens.Count;
        if (length == 0)
            throw new GenerationException("The prompt has no tokens; a text to continue needs at least one (for instance the begin-of-text token).");
        if (length >= ContextTokens)
        {
            throw new GenerationException(
                $"The prompt has {length} tokens and the context {ContextTokens}, which leaves no room for an answer; shorten the prompt.",
                GenerationFault.ContextLength);
        }

        if (request.MaxTokens < 1) throw new GenerationException($"{request.MaxTokens} tokens cannot be generated; it has to be 1 or more.");
        if (request.Probabilities is < 0 or > 20)
            throw new GenerationException($"The {request.Probabilities} most probable tokens are asked for; it can be 0 to 20.");
        CheckTokens(request.PromptTokens, "prompt");
        return Enqueue(request, Math.Min(request.MaxTokens, ContextTokens - length), null).Stream;
    }

    /// <summary>Takes no more requests and waits until those that are there have ended.</summary>
    /// <param name="cancellation">Ends the wait; texts that have not ended then fail when the engine is disposed.</param>
    /// <returns>When all have ended.</returns>
    public async Task DrainAsync(CancellationToken cancellation = default)
    {
        lock (_gate) _draining = true;
        while (Volatile.Read(ref _pending) > 0) await Task.Delay(20, cancellation).ConfigureAwait(false);
    }

    /// <summary>Stops after the step in work; texts that have not ended fail with <see cref="EngineBusyException"/>.</summary>
    /// <returns>When everything is released.</returns>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_stopping) return;
            _stopping = true;
        }

        Wake();
        await _stopped.Task.ConfigureAwait(false);
        _thread.Join();
        _runner.Dispose();
        _cache.Dispose();
        _draftIndices?.Dispose();
    }

    private void CheckTokens(IReadOnlyList<int> tokens, string of)
    {
        foreach (int token in tokens)
        {
            if (!_tokenizer.HasToken(token)) throw new GenerationException($"Token {token} of the {of} is not in the vocabulary.");
        }
    }

    private RunningSequence Enqueue(EngineRequest request, int most, HiddenPool? pool)
    {
        var sampler = new Sampler(request.Sampling, _model.Config.VocabularySize, _tokenizer.VocabularySize, _unused, _submitRoom);
        var text = new RunningText(_tokenizer, request.StopTokens ?? _endTokens, new StopText(request.StopStrings), request.SkipSpecialTokens);
        var stream = new EngineText(Wake, request.CountExperts ? _load?.CreateCounts() ?? [] : null);
        RunningSequence entry;
        lock (_gate)
        {
            if (_draining || _stopping) throw new EngineBusyException("The server is stopping and takes no more requests.");
            if (_pending >= _options.MostWaiting + _options.MostSequences)
                throw new EngineBusyException($"{_pending} requests are in work or wait already; try again later.");
            // The engine's thread counts down without the gate.
            Interlocked.Increment(ref _pending);
            _arrivals.Enqueue(entry = new RunningSequence(request, stream, sampler, text, most, _arrival++, pool));
        }

        Wake();
        return entry;
    }

    private void Run()
    {
        while (!_stopping)
        {
            try
            {
                Receive();
                if (_scheduler.IsIdle) WaitForWork();
                else Step();
            }
            catch (Exception e)
            {
                // Whatever it was, the texts in work cannot go on; others can.
                var error = new GenerationException(e is GenerationException ? e.Message : $"The engine failed: {e.Message}", GenerationFault.Computation, e);
                foreach (var r in _scheduler.Running.ToList()) End(r, error);
            }
        }

        Receive();
        var stopped = new EngineBusyException("The server stopped before the text had ended.");
        foreach (var r in _scheduler.Running.Concat(_scheduler.Waiting).ToList()) End(r, stopped);
        _stopped.SetResult();
    }

    // Texts may be cancelled when the engine has long gone, so there is nothing here to dispose.
    private void Wake()
    {
        lock (_work)
        {
            _woken = true;
            Monitor.Pulse(_work);
        }
    }

    private void WaitForWork()
    {
        lock (_work)
        {
            while (!_woken) Monitor.Wait(_work);
            _woken = false;
        }
    }

    // New requests come in, those that nobody wants any more go.
    private void Receive()
    {
        while (_arrivals.TryDequeue(out var arrival)) _scheduler.Add(arrival);
        DropCancelled(_scheduler.Running);
        DropCancelled(_scheduler.Waiting);
    }

    private void DropCancelled(IReadOnlyList<RunningSequence> sequences)
    {
        for (int i = sequences.Count - 1; i >= 0; i--)
        {
            if (sequences[i].Stream.IsCancelled) Finish(sequences[i], FinishReason.Cancelled, "", []);
        }
    }

    // The last update: the rest of the text and the result.
    private void Finish(RunningSequence r, FinishReason reason, string piece, List<int> tokens)
    {
        piece += r.Text.Finish();
        r.Stream.Write(new EngineUpdate(piece, tokens, Scores(r, tokens.Count), r.Result(reason, r.Text.Text)));
        End(r, null);
    }

    private void End(RunningSequence r, Exception? error)
    {
        _scheduler.Remove(r);
        UpdateCache();
        Interlocked.Decrement(ref _pending);
        r.Stream.Close(error);
    }
}
