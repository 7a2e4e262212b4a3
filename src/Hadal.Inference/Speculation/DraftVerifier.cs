using Hadal.Inference.Cache;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Numerics;

namespace Hadal.Inference.Speculation;

/// <summary>Keeps the drafts that the main model agrees with and adds the token that it says itself.</summary>
/// <remarks>Greedy: a draft stands while it is what the main model would have chosen. Sampling: <see cref="AcceptanceRule"/>.</remarks>
internal sealed class DraftVerifier
{
    private readonly ModelRunner _runner;
    private readonly IBackend _backend;
    private readonly Sequence _sequence;
    private readonly Sampler _sampler;
    private readonly float[] _logits;
    private readonly double[] _probabilities;

    public DraftVerifier(ModelRunner runner, Sequence sequence, Sampler sampler)
    {
        (_runner, _backend, _sequence, _sampler) = (runner, runner.Model.Backend, sequence, sampler);
        _logits = new float[sampler.Vocabulary];
        _probabilities = new double[sampler.IsGreedy ? 0 : sampler.Allowed];
    }

    /// <summary>Chooses a token from a row of the main model's logits.</summary>
    /// <param name="row">Which row.</param>
    /// <param name="history">The tokens before it.</param>
    public int Choose(int row, ReadOnlySpan<int> history)
    {
        ReadLogits(row);
        return _sampler.Sample(_logits, history, _sequence.PromptLength);
    }

    /// <summary>Goes through the drafts at the end of the sequence; cuts off from the first refused one on and appends the main model's token.</summary>
    /// <param name="before">Tokens of the sequence without the drafts.</param>
    /// <param name="drafts">Drafts behind them.</param>
    /// <param name="proposer">Who made them; null if there are none.</param>
    /// <returns>How many drafts stand.</returns>
    public int Verify(int before, int drafts, MtpProposer? proposer)
    {
        for (int i = 0; ; i++)
        {
            var history = _sequence.Tokens[..(before + i)];
            int? draft = i < drafts ? _sequence.Tokens[before + i] : null;
            int token = _sampler.IsGreedy || draft is null ? Choose(i, history) : Judge(i, history, draft.Value, proposer!.Distribution(i));
            if (token == draft) continue;
            _sequence.Truncate(before + i);
            _sequence.Append(token);
            return i;
        }
    }

    // The draft if it stands, else its replacement (never the draft: its residual is 0).
    private int Judge(int row, ReadOnlySpan<int> history, int draft, ReadOnlySpan<double> q)
    {
        ReadLogits(row);
        _sampler.Distribution(_logits, history, _sequence.PromptLength, _probabilities);
        if (AcceptanceRule.Accepts(_probabilities[draft], q[draft], _sampler.NextUniform())) return draft;
        return AcceptanceRule.Residual(_probabilities, q) ? _sampler.Draw(_probabilities) : draft;
    }

    private void ReadLogits(int row) => _backend.Read(_runner.Logits.RowRange(row, 1), _logits);
}
