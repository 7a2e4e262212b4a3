using Hadal.Inference.Cache;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Inference.Speculation;

namespace Hadal.Inference.Generation;

/// <summary>Continues one sequence token by token, or several tokens at a time with drafts of the MTP module.</summary>
/// <remarks>
/// Greedy text is the same with and without drafts. With sampling the tokens' distribution is the same, though not the tokens themselves: drafts use random
/// numbers too. While drafts are made, the runner must compute nothing else between the steps. After <see cref="Prefill"/> the steps allocate no managed
/// memory.
/// </remarks>
public sealed class Decoding
{
    private readonly ModelRunner _runner;
    private readonly Sequence _sequence;
    private readonly Sampler _sampler;
    private readonly MtpProposer? _proposer;
    private readonly DraftVerifier _verifier;
    private readonly StepBatch _batch = new();

    /// <summary>A decoding that has not begun.</summary>
    /// <param name="runner">Runs the model.</param>
    /// <param name="sequence">A sequence of the runner's cache with nothing generated yet.</param>
    /// <param name="sampler">Chooses the tokens.</param>
    /// <param name="drafts">Tokens to draft for each step, K; 0 for plain decoding.</param>
    /// <exception cref="GenerationException">Drafts are wanted of a model without an MTP module, or their number is out of range.</exception>
    public Decoding(ModelRunner runner, Sequence sequence, Sampler sampler, int drafts = 0)
    {
        ArgumentNullException.ThrowIfNull(runner);
        ArgumentNullException.ThrowIfNull(sequence);
        ArgumentNullException.ThrowIfNull(sampler);
        if (drafts is < 0 or > MostDrafts)
            throw new GenerationException($"{drafts} drafts per step are asked for; it can be 0 (no speculation) to {MostDrafts}.");
        (_runner, _sequence, _sampler, Drafts) = (runner, sequence, sampler, drafts);
        if (drafts > 0) _proposer = new MtpProposer(runner, sequence, sampler, drafts);
        _verifier = new DraftVerifier(runner, sequence, sampler);
    }

    /// <summary>Most drafts per step.</summary>
    public const int MostDrafts = 32;

    /// <summary>Drafts per step, K.</summary>
    public int Drafts { get; }

    /// <summary>Drafts made so far.</summary>
    public long Proposed { get; private set; }

    /// <summary>Drafts that the main model agreed to.</summary>
    public long Accepted { get; private set; }

    /// <summary>Computes the rest of the prompt, piece by piece, and chooses the first token.</summary>
    /// <param name="pieceTokens">Tokens in a piece, at least 1; the result does not depend on it.</param>
    /// <param name="progress">Told after each piece how many tokens of the prompt are done; or null.</param>
    /// <param name="cancellation">Stops between layers; the pieces that are done stay in the cache.</param>
    /// <returns>The first token; it is appended to the sequence.</returns>
    public int Prefill(int pieceTokens = 512, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pieceTokens, 1);
        if (_sequence.CachedLength >= _sequence.PromptLength) throw new InvalidOperationException("The prompt has been computed already.");
        while (true)
        {
            int rest = _sequence.PromptLength - _sequence.CachedLength, rows = Math.Min(rest, pieceTokens);
            _batch.Clear();
            _batch.Add(_sequence, rows, rows == rest ? LogitRows.Last : LogitRows.None);
            _runner.Forward(_batch, cancellation);
            _proposer?.Settle();
            progress?.Report(_sequence.CachedLength);
            if (rows == rest) break;
            _proposer?.CatchUp(LogitRows.None, cancellation);
        }

        int token = _verifier.Choose(0, _sequence.Tokens);
        _sequence.Append(token);
        return token;
    }

    /// <summary>Generates the next token, and as many more as drafts are accepted.</summary>
    /// <param name="tokens">Receives the tokens, which are also appended to the sequence. Its length limits how many there are: with room for n, n - 1 are
    /// drafted
    /// at most.</param>
    /// <param name="cancellation">Stops between layers; the sequence stays as it was. Decoding with drafts cannot go on after that.</param>
    /// <returns>How many, at least 1.</returns>
    /// <exception cref="GenerationException">The text has used every position of the model, or the model computes numbers that are not finite.</exception>
    public int Step(Span<int> tokens, CancellationToken cancellation = default)
    {
        if (tokens.IsEmpty) throw new ArgumentException("There has to be room for a token.", nameof(tokens));
        int before = _sequence.Count, room = _runner.Model.Config.MaxPositions - before;
        if (room < 0)
            throw new GenerationException($"The context is full: the text has used all {before - 1} positions of the model (max_position_embeddings).", GenerationFault.ContextLength);
        int drafts = Math.Min(Drafts, Math.Min(tokens.Length - 1, room));
        try
        {
            _proposer?.Propose(drafts, cancellation);
            _batch.Clear();
            _batch.Add(_sequence, drafts + 1, LogitRows.All);
            _runner.Forward(_batch, cancellation);
            _proposer?.Settle();
        }
        catch
        {
            _sequence.Truncate(before);
            throw;
        }

        int accepted = _verifier.Verify(before, drafts, _proposer);
        Proposed += drafts;
        Accepted += accepted;
        _sequence.Tokens[before..].CopyTo(tokens);
        return accepted + 1;
    }
}
