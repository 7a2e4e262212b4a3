using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;

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
        _output = new LinearLayer(parameters, prefix + "o_proj.weight", d, config.Heads * config.ValueWidth);
    }

    public Tensor Forward(MicroBatchContext c, Tensor x, State s)
    {
        int rows = x.Rows;
        var query = x;
        if (_queryDown is not null) query = _queryNorm!.Forward(c, _queryDown.Forward(c, x, s.QueryDown), s.QueryNorm);
        s.Q = _queryUp.Forward(c, query, s.QueryUp);
        c.Backend.Rotate(RopePart(s.Q), _config.Heads, c.Positions, c.Cos, c.Sin);

        var down = _latentDown.Forward(c, x, s.LatentDown);
        var latent = _latentNorm.Forward(c, down.ColumnRange(0, _config.LatentRank), s.LatentNorm);
        s.KRope = c.Matrix(rows, _config.RopeWidth);
        c.Backend.Copy(down.ColumnRange(_config.LatentRank, _config.RopeWidth), s.KRope);
        c.Backend.Rotate(s.KRope, 1, c.Positions, c.Cos, c.Sin);
        s.KV = _latentUp.Forward(c, latent, s.LatentUp);

        s.O = c.Matrix(rows, (long)_config.Heads * _config.ValueWidth);
        s.LogSumExp = c.Vector((long)_config.Heads * rows);
        c.Backend.Attention(s.Q, s.KV, s.KRope, c.Starts, c.Ends, _config.Heads, (float)_config.AttentionScale, s.O, s.LogSumExp);
        return _output.Forward(c, s.O, s.Output);
    }

    /// <summary>The gradient for the (normed) input, in new memory.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s)
    {
        int rows = dy.Rows, rank = _config.LatentRank;
        var dOut = _output.BackwardInput(c, dy, s.Output);
        var dq = c.Matrix(rows, s.Q.Columns);
        var dkv = c.Matrix(rows, s.KV.Columns);
        var dDown = c.Matrix(rows, _config.CacheWidth);
        var dkRope = dDown.ColumnRange(rank, _config.RopeWidth);
        var scratch = c.Matrix(_config.Heads, (long)rows * _config.RopeWidth);
        c.Backend.AttentionBackward(
            s.Q, s.KV, s.KRope, c.Starts, c.Ends, _config.Heads, (float)_config.AttentionScale, s.O, s.LogSumExp, dOut, dq, dkv, dkRope, scratch);
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
        var dQueryDown = c.Matrix(rows, dQuery.Columns);
        _queryNorm!.BackwardInput(c, dQuery, dQueryDown, accumulate: false, s.QueryNorm);
        _queryDown.BackwardInputInto(c, dQueryDown, dx, accumulate: true, s.QueryDown);
        return dx;
    }

    public void BackwardWeight(MicroBatchContext c, State s)
    {
        _output.BackwardWeight(c, s.Output);
        _latentUp.BackwardWeight(c, s.LatentUp);
        _latentNorm.BackwardWeight(c, s.LatentNorm);
        _latentDown.BackwardWeight(c, s.LatentDown);
        _queryUp.BackwardWeight(c, s.QueryUp);
        if (_queryDown is null) return;
        _queryNorm!.BackwardWeight(c, s.QueryNorm);
        _queryDown.BackwardWeight(c, s.QueryDown);
    }

    // The rotary columns of every head, as rows (token, head).
    private Tensor RopePart(Tensor q) =>
        q.Reshape(new Shape((long)q.Rows * _config.Heads, _config.QueryHeadWidth)).ColumnRange(_config.NopeWidth, _config.RopeWidth);

    public sealed class State
    {
        public readonly LinearLayer.State QueryDown = new(), QueryUp = new(), LatentDown = new(), LatentUp = new(), Output = new();
        public readonly RmsNormLayer.State QueryNorm = new(), LatentNorm = new();
        public Tensor Q, KV, KRope, O, LogSumExp;
    }
}
