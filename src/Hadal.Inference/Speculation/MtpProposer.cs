using Hadal.Inference.Cache;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Numerics;

namespace Hadal.Inference.Speculation;

/// <summary>Drafts tokens with the MTP module (section 6.3 of the specification).</summary>
/// <remarks>
/// The module first computes the rows of the positions that the main model has settled since the last step, from their true hidden states and tokens; the last
/// of them gives the first draft. Each further draft feeds the module its own output behind shared_head.norm and the draft before (section 6.2). Rows computed
/// from drafts are forgotten again: their positions are computed from true hidden states once those exist.
/// </remarks>
internal sealed class MtpProposer
{
    private readonly ModelRunner _runner;
    private readonly IBackend _backend;
    private readonly Sequence _sequence;
    private readonly Sampler _sampler;
    private readonly StepBatch _batch = new();
    private readonly float[] _logits;
    private readonly double[][] _distributions;
    private long _step = -1;

    public MtpProposer(ModelRunner runner, Sequence sequence, Sampler sampler, int drafts)
    {
        runner.Model.RequireMtp();
        (_runner, _backend, _sequence, _sampler) = (runner, runner.Model.Backend, sequence, sampler);
        _logits = new float[sampler.Vocabulary];
        _distributions = new double[sampler.IsGreedy ? 0 : drafts][];
        for (int i = 0; i < _distributions.Length; i++) _distributions[i] = new double[sampler.Allowed];
    }

    /// <summary>The probabilities that a draft was drawn from.</summary>
    public ReadOnlySpan<double> Distribution(int draft) => _distributions[draft];

    /// <summary>Told when the runner has computed the sequence's next tokens, and nothing else: their hidden states are what the module goes on from.</summary>
    public void Settle() => _step = _runner.Steps;

    /// <summary>Computes the module's rows for what the main model's last step has settled.</summary>
    /// <exception cref="InvalidOperationException">The hidden states are no longer there.</exception>
    public void CatchUp(LogitRows logits, CancellationToken cancellation)
    {
        if (_step != _runner.Steps)
            throw new InvalidOperationException("Decoding with drafts cannot go on: its runner has been used for something else, or a step was stopped.");

        // The last step began where the module stands; refused drafts have been cut off behind.
        int rows = _sequence.CachedLength - _sequence.MtpLength;
        _batch.Clear();
        _batch.AddMtp(_sequence, _runner.Hidden.RowRange(0, rows), logits);
        _runner.ForwardMtp(_batch, cancellation);
    }

    /// <summary>Appends drafts to the sequence.</summary>
    public void Propose(int drafts, CancellationToken cancellation)
    {
        CatchUp(drafts > 0 ? LogitRows.Last : LogitRows.None, cancellation);
        int settled = _sequence.MtpLength;
        for (int i = 0; i < drafts; i++)
        {
            if (i > 0)
            {
                _batch.Clear();
                _batch.AddMtp(_sequence, _runner.MtpHidden.RowRange(_runner.MtpHidden.Rows - 1, 1), LogitRows.Last);
                _runner.ForwardMtp(_batch, cancellation);
            }

            _backend.Read(_runner.MtpLogits, _logits);
            _sequence.Append(Choose(i));
        }

        _sequence.MtpLength = settled;
    }

    private int Choose(int draft)
    {
        if (_sampler.IsGreedy) return _sampler.Sample(_logits, _sequence.Tokens, _sequence.PromptLength);
        _sampler.Distribution(_logits, _sequence.Tokens, _sequence.PromptLength, _distributions[draft]);
        return _sampler.Draw(_distributions[draft]);
    }
}
