using System.Diagnostics;
using System.Runtime.InteropServices;
using Hadal.Inference.Cache;
using Hadal.Inference.Constraints;
using Hadal.Inference.Generation;
using Hadal.Inference.Sampling;
using Hadal.Inference.Speculation;

namespace Hadal.Inference.Batching;

/// <summary>A request from its arrival to its end: waiting, in work, or put back.</summary>
internal sealed class RunningSequence(EngineRequest request, EngineText stream, Sampler sampler, RunningText text, int most, long arrival, HiddenPool? pool)
{
    private readonly long _arrived = Stopwatch.GetTimestamp();
    private readonly List<int> _tokens = [.. request.PromptTokens];
    private long? _admitted;
    private long? _first;

    public EngineRequest Request => request;

    public EngineText Stream => stream;

    public Sampler Sampler => sampler;

    public RunningText Text => text;

    /// <summary>Tokens that may be generated.</summary>
    public int Most => most;

    /// <summary>Number of the request, for the order among equals.</summary>
    public long Arrival => arrival;

    /// <summary>Takes the hidden states of a text whose vector is wanted and that does not go on; null for a text that does.</summary>
    public HiddenPool? Pool => pool;

    /// <summary>Its place in the cache; null while it waits.</summary>
    public Sequence? Sequence { get; private set; }

    /// <summary>Tokens known for certain: prompt and generated ones, drafts not included.</summary>
    public int Certain => _tokens.Count;

    /// <summary>The tokens of the prompt.</summary>
    public ReadOnlySpan<int> Prompt => CollectionsMarshal.AsSpan(_tokens)[..request.PromptTokens.Count];

    public int Generated => _tokens.Count - request.PromptTokens.Count;

    /// <summary>Drafts at the end of the sequence.</summary>
    public int Drafts => Sequence is { } sequence ? sequence.Count - _tokens.Count : 0;

    /// <summary>Tokens that have to be computed before the next one can be chosen, drafts not counted.</summary>
    public int Missing => _tokens.Count - Sequence!.CachedLength;

    /// <summary>Which tokens may come next; null for all.</summary>
    public GrammarState? Grammar { get; } = request.Grammar?.Start();

    /// <summary>Whether the grammar allows nothing more.</summary>
    public bool IsComplete { get; set; }

    public DraftLength DraftLength { get; } = new();

    /// <summary>Pages that the prefix index knows.</summary>
    public int Entered { get; set; }

    /// <summary>Tokens of the prompt that were there already when the text was first admitted.</summary>
    public int Reused { get; private set; }

    public long Proposed { get; set; }

    public long Accepted { get; set; }

    /// <summary>Place in the step's batch.</summary>
    public int Item { get; set; }

    /// <summary>Tokens of this step, in the order in which they were chosen; those behind an end are dropped.</summary>
    public List<int> Chosen { get; } = [];

    /// <summary>Scores of <see cref="Chosen"/>, if asked for.</summary>
    public List<TokenScore> Scores { get; } = [];

    /// <summary>What went wrong while tokens were chosen.</summary>
    public GenerationException? Error { get; set; }

    public double WaitSeconds => Seconds(_arrived, _admitted ?? Stopwatch.GetTimestamp());

    /// <summary>From arrival to the first token; null before it.</summary>
    public double? FirstSeconds => _first is { } first ? Seconds(_arrived, first) : null;

    /// <summary>Gives it a place in the cache.</summary>
    /// <returns>Tokens of the prompt that need not be computed.</returns>
    public int Admit(LatentCache cache, PrefixIndex? prefixes)
    {
        var sequence = cache.CreateSequence(Prompt, _tokens.Count + 64);
        pool?.Clear();
        int reused = pool is null && prefixes is not null ? prefixes.Adopt(sequence, request.PrefixScope) : 0;
        Entered = reused / LatentCache.PageTokens;
        for (int i = request.PromptTokens.Count; i < _tokens.Count; i++) sequence.Append(_tokens[i]);
        Sequence = sequence;
        if (_admitted is null) (_admitted, Reused) = (Stopwatch.GetTimestamp(), reused);
        return reused;
    }

    /// <summary>Takes its place in the cache away.</summary>
    public void Release()
    {
        Sequence?.Dispose();
        Sequence = null;
    }

    /// <summary>A token is certain.</summary>
    public void Add(int token)
    {
        _tokens.Add(token);
        _first ??= Stopwatch.GetTimestamp();
    }

    public GenerationResult Result(FinishReason reason, string whole)
    {
        long end = Stopwatch.GetTimestamp();
        double prefill = _admitted is { } admitted && _first is { } first ? Seconds(admitted, first) : 0;
        double decoding = _first is { } begin ? Seconds(begin, end) : 0;
        return new GenerationResult
        {
            Text = whole,
            Tokens = text.Tokens,
            PromptTokens = request.PromptTokens.Count,
            ReusedPromptTokens = Reused,
            FinishReason = reason,
            StopString = text.StopString,
            WaitSeconds = WaitSeconds,
            FirstTokenSeconds = FirstSeconds ?? 0,
            PrefillTokensPerSecond = prefill > 0 ? (request.PromptTokens.Count - Reused) / prefill : 0,
            TokensPerSecond = Generated > 1 && decoding > 0 ? (Generated - 1) / decoding : 0,
            ProposedDrafts = Proposed,
            AcceptedDrafts = Accepted,
            Seed = sampler.Seed,
        };
    }

    private static double Seconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds;
}
