using System.Numerics;
using Hadal.Inference.Cache;
using Hadal.Inference.Weights;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <content>Multi-head latent attention (report equations 1 to 11). Legend: A rows of generated tokens, n nope width, v value width.</content>
public sealed partial class ModelRunner
{
    // Keys and values of so many elements are expanded at once, head group by head group: 64 MiB.
    private const long ExpandedElements = 1L << 24;
    private const float LatentEpsilon = (float)ModelConfig.LatentNormEpsilon;

    private void Attention(LayerWeights weights, int layer, Tensor x, Tensor output)
    {
        int rows = x.Rows, heads = _config.Heads, rank = _config.LatentRank, rope = _config.RopeWidth;
        var cache = _cache.Layer(layer);
        var q = _arena.Matrix(rows, (long)heads * _config.QueryHeadWidth);
        var latent = Project(weights, x, q);
        var (c, kRope) = (latent.ColumnRange(0, rank), latent.ColumnRange(rank, rope));
        _backend.RmsNorm(c, weights.LatentNorm, LatentEpsilon, c);
        _backend.Rotate(kRope, 1, _plan.Positions, _rotary.Cosines, _rotary.Sines);
        var qRope = q.Reshape(new Shape((long)rows * heads, _config.QueryHeadWidth)).ColumnRange(_config.NopeWidth, rope);
        _backend.Rotate(qRope, heads, _plan.Positions, _rotary.Cosines, _rotary.Sines);
        if (Observer is { } observer)
        {
            observer.Observe(ForwardPoint.Latent, layer, c);
            observer.Observe(ForwardPoint.RopeKey, layer, kRope);
        }

        foreach (var run in _plan.Writes) _backend.WriteLatents(latent.RowRange(run.Row, run.Count), rank, cache.RowRange(run.Slot, run.Count));
        var o = _arena.Matrix(rows, (long)heads * _config.ValueWidth);
        if (_plan.AbsorbedRows > 0) Absorbed(weights, cache, q.RowRange(0, _plan.AbsorbedRows), o.RowRange(0, _plan.AbsorbedRows));
        foreach (ref readonly var piece in _plan.Pieces) Expanded(weights, cache, piece, q, o);
        _backend.MatMul(o, weights.AttentionOutput, output);
    }

    // q gets the queries; the result is [T, R + r], latent and rope key before norm and rotation.
    private Tensor Project(LayerWeights weights, Tensor x, Tensor q)
    {
        var down = _arena.Matrix(x.Rows, weights.Down.OutFeatures);
        _backend.MatMul(x, weights.Down, down);
        if (_config.QueryLatentRank is not { } queryRank)
        {
            _backend.MatMul(x, weights.Query, q);
            return down;
        }

        var queryLatent = down.ColumnRange(0, queryRank);
        _backend.RmsNorm(queryLatent, weights.QueryLatentNorm, LatentEpsilon, queryLatent);
        _backend.MatMul(queryLatent, weights.Query, q);
        return down.ColumnRange(queryRank, _config.CacheWidth);
    }

    // q̃ = W_UKᵀ·q per head; attention on the latents; o = W_UV·õ per head (section 3.3). The products have a head where expert products have an expert,
    // so several rows are sorted by head for them; for one row both orders are the same.
    private void Absorbed(LayerWeights weights, Tensor cache, Tensor q, Tensor o)
    {
        int rows = q.Rows, heads = _config.Heads, rank = _config.LatentRank, nope = _config.NopeWidth;
        long all = (long)rows * heads;
        var mark = _arena.Save();
        var split = q.Reshape(new Shape(all, _config.QueryHeadWidth));
        var (qNope, qRope) = (split.ColumnRange(0, nope), split.ColumnRange(nope, _config.RopeWidth));
        var qLatent = _arena.Matrix(all, rank);
        var oLatent = _arena.Matrix(all, rank);
        var values = o.Reshape(new Shape(all, _config.ValueWidth));
        if (rows == 1)
        {
            _backend.GroupedMatMul(qNope, _plan.HeadOffsets, weights.QueryAbsorption, qLatent);
            Attend(qLatent, oLatent);
            _backend.GroupedMatMul(oLatent, _plan.HeadOffsets, weights.ValueUp, values);
        }
        else
        {
            var byHead = _arena.Matrix(all, nope);
            var wide = _arena.Matrix(all, rank);
            _backend.GatherRows(qNope, _plan.ByHead, 1, byHead);
            _backend.GroupedMatMul(byHead, _plan.HeadOffsets, weights.QueryAbsorption, wide);
            _backend.GatherRows(wide, _plan.ByRow, 1, qLatent);
            Attend(qLatent, oLatent);
            _backend.GatherRows(oLatent, _plan.ByHead, 1, wide);
            var valuesByHead = _arena.Matrix(all, _config.ValueWidth);
            _backend.GroupedMatMul(wide, _plan.HeadOffsets, weights.ValueUp, valuesByHead);
            _backend.GatherRows(valuesByHead, _plan.ByRow, 1, values);
        }

        _arena.Release(mark);

        void Attend(Tensor query, Tensor result) => _backend.LatentAttention(
            query.Reshape(new Shape(rows, (long)heads * rank)),
            qRope,
            cache,
            LatentCache.PageTokens,
            _plan.PageTables,
            _plan.Sequences,
            _plan.Lengths,
            heads,
            (float)_config.AttentionScale,
            result.Reshape(new Shape(rows, (long)heads * rank)));
    }

    // Keys and values from the cached latents by kv_b_proj (equations 2 and 5), a few heads at a time, then plain attention. The keys come from the cache even
    // for the piece's own tokens, so that they have the cache's precision however a prompt is cut. In FP32 if the cache or kv_b_proj is, otherwise in bfloat16.
    private void Expanded(LayerWeights weights, Tensor cache, in PromptPiece piece, Tensor q, Tensor o)
    {
        var mark = _arena.Save();
        if (cache.Type != DType.F32 && weights.LatentUp.Format != WeightFormat.F32)
        {
            _backend.PromptAttention(
                q.RowRange(piece.Row, piece.Count),
                Keys(cache, piece),
                weights.LatentUp,
                _plan.Ends.RowRange(piece.Row, piece.Count),
                _config.Heads,
                (float)_config.AttentionScale,
                o.RowRange(piece.Row, piece.Count));
            _arena.Release(mark);
            return;
        }

        int rank = _config.LatentRank, queryWidth = _config.QueryHeadWidth, valueWidth = _config.ValueWidth, width = _config.NopeWidth + valueWidth;
        var keys = Keys(cache, piece);
        var (latents, kRope) = (keys.ColumnRange(0, rank), keys.ColumnRange(rank, _config.RopeWidth));
        int group = (int)Math.Clamp(ExpandedElements / ((long)piece.Keys * width), 1, _config.Heads);
        // Outputs of arranged weights are taken from multiples of sixteen on.
        if (width % 16 != 0) group = (group + 15) / 16 * 16;
        var room = _arena.Allocate(DType.F32, new Shape(RoundUp((long)piece.Keys * group * width)));
        var queries = q.RowRange(piece.Row, piece.Count);
        var results = o.RowRange(piece.Row, piece.Count);
        for (int head = 0; head < _config.Heads; head += group)
        {
            int heads = Math.Min(group, _config.Heads - head);
            var kv = room.Storage.View(room.ByteOffset, DType.F32, new Shape(piece.Keys, (long)heads * width));
            _backend.MatMul(latents, weights.LatentUp, kv, firstOutput: head * width);
            _backend.Attention(
                queries.ColumnRange((long)head * queryWidth, (long)heads * queryWidth),
                kv,
                kRope,
                _plan.Starts.RowRange(piece.Row, piece.Count),
                _plan.Ends.RowRange(piece.Row, piece.Count),
                heads,
                (float)_config.AttentionScale,
                results.ColumnRange((long)head * valueWidth, (long)heads * valueWidth));
        }

        _arena.Release(mark);
    }

    // The latents of all tokens that the piece sees, [keys, R + r] in FP32: where they lie, if that is possible.
    private Tensor Keys(Tensor cache, in PromptPiece piece)
    {
        var runs = _plan.Reads(piece);
        if (cache.Type == DType.F32 && runs.Length == 1) return cache.RowRange(runs[0].Slot, piece.Keys);
        long elements = (long)piece.Keys * _config.CacheWidth;
        var room = _arena.Allocate(DType.F32, new Shape(RoundUp(elements)));
        var keys = room.Storage.View(room.ByteOffset, DType.F32, new Shape(piece.Keys, _config.CacheWidth));
        foreach (var run in runs) _backend.ReadLatents(cache.RowRange(run.Slot, run.Count), _config.LatentRank, keys.RowRange(run.Row, run.Count));
        return keys;
    }

    // Powers of two, so that an arena that meets a growing prompt does not get a new, slightly larger block for every piece.
    private static long RoundUp(long elements) => (long)BitOperations.RoundUpToPowerOf2((ulong)elements);
}
