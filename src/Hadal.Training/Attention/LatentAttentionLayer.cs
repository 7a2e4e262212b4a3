using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Attention;

/// <summary>Multi-head latent attention in the expanded form (report equations 1-11), with or without a query latent.</summary>
/// <remarks>Legend: T rows, H heads, R key-value latent rank, n/r/v per-head widths of the non-positional, rotary and value parts.</remarks>
internal sealed class LatentAttentionLayer
{
    private const float LatentEpsilon = (float)ModelConfig.LatentNormEpsilon;
    private readonly ModelConfig _config;
    private readonly LinearLayer? _queryDown;
    private readonly RmsNormLayer? _queryNorm;
    private readonly LinearLayer _queryUp, _latentDown, _latentUp, _output;
    private readonly RmsNormLayer _latentNorm;

    public LatentAttentionLayer(ParameterSet parameters, ModelConfig config, string prefix)
    {
        _config = config;
        int d = config.HiddenSize, queries = config.Heads * config.QueryHeadWidth;
        if (config.QueryLatentRank is int rank)
        {
            _queryDown = new LinearLayer(parameters, prefix + "q_a_proj.weight", rank, d);
            _queryNorm = new RmsNormLayer(parameters, prefix + "q_a_layernorm.weight", rank, LatentEpsilon);
            _queryUp = new LinearLayer(parameters, prefix + "q_b_proj.weight", queries, rank);
        }
        else
        {
            _queryUp = new LinearLayer(parameters, prefix + "q_proj.weight", queries, d);
        }

        _latentDown = new LinearLayer(parameters, prefix + "kv_a_proj_with_mqa.weight", config.CacheWidth, d);
        _latentNorm = new RmsNormLayer(parameters, prefix + "kv_a_layernorm.weight", config.LatentRank, LatentEpsilon);
        _latentUp = new LinearLayer(parameters, prefix + "kv_b_proj.weight", config.Heads * (config.NopeWidth + config.ValueWidth), config.LatentRank);
        _output = new LinearLayer(parameters, prefix + "o_proj.weight", d, config.Heads * config.ValueWidth, LinearRole.AttentionOutput);
    }

    /// <summary>The output in temporary memory.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">[T, D], normed.</param>
    /// <param name="s">For the backward.</param>
    public Tensor Forward(MicroBatchContext c, Tensor x, State s)
    {
        int rows = x.Rows;
        var forms = c.Precision.Forms;
        var query = x;
        if (_queryDown is not null)
        {
            var queryDown = c.KeptMatrix(rows, _config.QueryLatentRank!.Value);
            _queryDown.ForwardInto(c, x, queryDown);
            query = _queryNorm!.Forward(c, queryDown, forms.LinearInput, s.QueryNorm);
        }

        var down = c.KeptMatrix(rows, _config.CacheWidth);
        _latentDown.ForwardInto(c, x, down);
        var latent = _latentNorm.Forward(c, down.ColumnRange(0, _config.LatentRank), forms.LinearInput, s.LatentNorm);
        s.KRope = c.KeptMatrix(rows, _config.RopeWidth);
        c.Backend.Copy(down.ColumnRange(_config.LatentRank, _config.RopeWidth), s.KRope);
        c.Backend.Rotate(s.KRope, 1, c.Positions, c.Cos, c.Sin);
        KeptActivation.Rounded(c, s.KRope, forms.AttentionOperand);

        bool keepsUp = !c.Recomputes(RecomputedParts.LatentUp), keepsQueries = keepsUp || _queryDown is null;
        var q = Queries(c, query, keepsQueries);
        s.Q = KeptActivation.Rounding(c, q, forms.AttentionOperand, keepsQueries);
        var kv = KeysAndValues(c, latent, keepsUp);
        s.KV = KeptActivation.Rounding(c, kv, forms.AttentionOperand, keepsUp);

        var o = c.MatrixFor(forms.AttentionOutput, rows, (long)_config.Heads * _config.ValueWidth);
        s.LogSumExp = c.KeptVector((long)_config.Heads * rows);
        c.Backend.Attention(q, kv, s.KRope, c.Starts, c.Ends, _config.Heads, (float)_config.AttentionScale, o, s.LogSumExp, forms.AttentionOperand is not null);
        s.O = KeptActivation.Of(c, o, forms.AttentionOutput);
        return _output.Forward(c, o);
    }

    /// <summary>The gradient for the (normed) input, in memory of <see cref="MicroBatchContext.GradientMatrix"/>.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s)
    {
        int rows = dy.Rows, rank = _config.LatentRank;
        var form = c.Precision.Forms.AttentionOperand;
        var q = s.Q.IsEmpty ? KeptActivation.Rounded(c, Queries(c, _queryNorm!.Again(c, s.QueryNorm), isKept: false), form) : s.Q.Restore(c);
        var kv = s.KV.IsEmpty ? KeptActivation.Rounded(c, KeysAndValues(c, _latentNorm.Again(c, s.LatentNorm), isKept: false), form) : s.KV.Restore(c);
        var o = s.O.Restore(c);
        s.RestoredO = c.DefersWeights ? default : o;
        var dOut = c.Matrix(rows, (long)_config.Heads * _config.ValueWidth);
        _output.BackwardInputInto(c, dy, dOut, accumulate: false, s.Output);
        var dq = c.GradientMatrix(rows, q.Columns);
        var dkv = c.GradientMatrix(rows, kv.Columns);
        var dDown = c.GradientMatrix(rows, _config.CacheWidth);
        var dkRope = dDown.ColumnRange(rank, _config.RopeWidth);
        var scratch = c.Matrix(_config.Heads, (long)rows * _config.RopeWidth);
        c.Backend.AttentionBackward(
            q, kv, s.KRope, c.Starts, c.Ends, _config.Heads, (float)_config.AttentionScale, o, s.LogSumExp, dOut, dq, dkv, dkRope, scratch, form is not null);
        c.Backend.Rotate(RopePart(dq), _config.Heads, c.Positions, c.Cos, c.Sin, inverse: true);
        c.Backend.Rotate(dkRope, 1, c.Positions, c.Cos, c.Sin, inverse: true);

        var dLatent = _latentUp.BackwardInput(c, dkv, s.LatentUp);
        _latentNorm.BackwardInput(c, dLatent, dDown.ColumnRange(0, rank), accumulate: false, s.LatentNorm);
        var dx = _latentDown.BackwardInput(c, dDown, s.LatentDown);

        if (_queryDown is null)
        {
            _queryUp.BackwardInputInto(c, dq, dx, accumulate: true, s.QueryUp);
            return dx;
        }

        var dQuery = _queryUp.BackwardInput(c, dq, s.QueryUp);
        var dQueryDown = c.GradientMatrix(rows, dQuery.Columns);
        _queryNorm!.BackwardInput(c, dQuery, dQueryDown, accumulate: false, s.QueryNorm);
        _queryDown.BackwardInputInto(c, dQueryDown, dx, accumulate: true, s.QueryDown);
        return dx;
    }

    /// <summary>The gradients for the weights.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">The input, as it was kept.</param>
    /// <param name="s">Behind <see cref="BackwardInput"/>.</param>
    public void BackwardWeight(MicroBatchContext c, Tensor x, State s)
    {
        _output.BackwardWeight(c, s.RestoredO.IsEmpty ? s.O.Restore(c) : s.RestoredO, s.Output);
        _latentUp.BackwardWeight(c, _latentNorm.Output(c, s.LatentNorm), s.LatentUp);
        _latentNorm.BackwardWeight(c, s.LatentNorm);
        _latentDown.BackwardWeight(c, x, s.LatentDown);
        _queryUp.BackwardWeight(c, _queryDown is null ? x : _queryNorm!.Output(c, s.QueryNorm), s.QueryUp);
        if (_queryDown is null) return;
        _queryNorm!.BackwardWeight(c, s.QueryNorm);
        _queryDown.BackwardWeight(c, x, s.QueryDown);
    }

    private Tensor Queries(MicroBatchContext c, Tensor query, bool isKept)
    {
        var q = c.MatrixFor(c.Precision.Forms.AttentionOperand, query.Rows, (long)_config.Heads * _config.QueryHeadWidth, isKept);
        _queryUp.ForwardInto(c, query, q);
        c.Backend.Rotate(RopePart(q), _config.Heads, c.Positions, c.Cos, c.Sin);
        return q;
    }

    private Tensor KeysAndValues(MicroBatchContext c, Tensor latent, bool isKept)
    {
        var kv = c.MatrixFor(c.Precision.Forms.AttentionOperand, latent.Rows, (long)_config.Heads * (_config.NopeWidth + _config.ValueWidth), isKept);
        _latentUp.ForwardInto(c, latent, kv);
        return kv;
    }

    // The rotary columns of every head, as rows (token, head).
    private Tensor RopePart(Tensor q) =>
        q.Reshape(new Shape((long)q.Rows * _config.Heads, _config.QueryHeadWidth)).ColumnRange(_config.NopeWidth, _config.RopeWidth);

    public sealed class State
    {
        public readonly LinearLayer.State QueryDown = new(), QueryUp = new(), LatentDown = new(), LatentUp = new(), Output = new();
        public readonly RmsNormLayer.State QueryNorm = new(), LatentNorm = new();
        public KeptActivation Q, KV, O;
        public Tensor KRope, LogSumExp, RestoredO;
    }
}
