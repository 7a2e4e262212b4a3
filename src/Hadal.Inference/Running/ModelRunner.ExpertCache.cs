using Hadal.Inference.Experts;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <content>Mixtures of experts of which only some are in memory. Legend: E experts, K chosen per token, S = T·K slots.</content>
public sealed partial class ModelRunner
{
    private int[] _chosen = [], _load = [], _foreseen = [], _wave = [], _bounds = [], _slotOf = [], _rowOf = [];

    // Layer that _foreseen is about; -1 for none.
    private int _foreseenLayer = -1;

    private void BeginExperts(int rows)
    {
        if (_model.Experts is not { } cache) return;
        _foreseenLayer = -1;
        if (_load.Length == 0)
        {
            int experts = _config.RoutedExperts;
            (_load, _foreseen, _wave, _bounds) = (new int[experts], new int[experts], new int[experts], new int[experts + 1]);
        }

        cache.BeginStep(rows);
    }

    // The next layer's router on the present hidden state: the residual stream changes little from layer to layer, so most of the choice is known before attention.
    private void ForeseeExperts(int layer, Tensor x)
    {
        if (_model.Experts is not { Foresees: true } cache || _model.LoadedLayer(layer + 1) is not { Router: { } router } next) return;
        var mark = _arena.Save();
        var normalised = _arena.Matrix(x.Rows, x.Columns);
        var logits = _arena.Matrix(x.Rows, _config.RoutedExperts);
        var scores = _arena.Matrix(x.Rows, _config.RoutedExperts);
        var gates = _arena.Matrix(x.Rows, _rule.TopK);
        var chosen = _arena.Allocate(DType.I32, new Shape(x.Rows, _rule.TopK));
        _backend.RmsNorm(x, next.MlpNorm, (float)_config.NormEpsilon, normalised);
        _backend.MatMul(normalised, router, logits);
        _backend.Route(logits, next.RouterBias, _rule, scores, chosen, gates);
        Count(chosen, _foreseen);
        _arena.Release(mark);
        _foreseenLayer = layer + 1;

        // In a layer with experts its own come first (RequireExperts).
        if (!_config.IsMixtureOfExperts(layer)) cache.Foresee(layer + 1, _foreseen);
    }

    private void RequireExperts(int layer, Tensor chosen)
    {
        var cache = _model.Experts!;
        Count(chosen, _load);
        cache.Account(_cache.ByteLength + _main.ReservedBytes + _mtp[0].ReservedBytes + _mtp[1].ReservedBytes);
        cache.Require(layer, _load);
        if (_foreseenLayer == layer + 1) cache.Foresee(layer + 1, _foreseen);
    }

    private void Count(Tensor chosen, int[] load)
    {
        int slots = checked((int)chosen.Count);
        if (_chosen.Length < slots) _chosen = new int[slots];
        _backend.Read(chosen, _chosen.AsSpan(0, slots));
        Array.Clear(load);
        foreach (int expert in _chosen.AsSpan(0, slots)) load[expert]++;
    }

    // Experts in the order in which they are there: first those in memory, while the others are read. Each row meets the same weights with the same bits, and a token's
    // results are added in the order of its choices whatever the order of the waves, so nothing of this shows in the result.
    private void ExpertWaves(ExpertCache cache, LayerWeights weights, int layer, in Slots slots, Tensor results)
    {
        int count = results.Rows, experts = _config.RoutedExperts;
        if (_slotOf.Length < count) (_slotOf, _rowOf) = (new int[count], new int[count]);
        _backend.Read(slots.Offsets, _bounds);
        _backend.Read(slots.SlotOf, _slotOf.AsSpan(0, count));
        for (int done = 0; done < count;)
        {
            var wave = _wave.AsSpan(0, cache.Take(layer, _wave));
            int rows = 0;
            foreach (int e in wave) rows += _bounds[e + 1] - _bounds[e];
            var mark = _arena.Save();
            var places = _arena.Allocate(DType.I32, new Shape(rows));
            var offsets = _arena.Allocate(DType.I32, new Shape(experts + 1));
            Arrange(wave, done, places, offsets);
            _backend.ExpertMlp(
                slots.X, places, _rule.TopK, offsets, weights.ExpertGateUp!, weights.ExpertDown!, slots.Gates, results.RowRange(done, rows));
            _arena.Release(mark);
            cache.Return(layer, wave);
            done += rows;
        }

        _backend.Write(_rowOf.AsSpan(0, count), slots.RowOf);
    }

    // Rows of a wave's experts, experts in ascending order: which slots they come from, and where each expert's start.
    private void Arrange(ReadOnlySpan<int> wave, int first, Tensor places, Tensor offsets)
    {
        int experts = _config.RoutedExperts, rows = 0, next = 0;
        if (_chosen.Length < places.Count + experts + 1) _chosen = new int[places.Count + experts + 1];
        Span<int> slotOf = _chosen.AsSpan(0, (int)places.Count), starts = _chosen.AsSpan((int)places.Count, experts + 1);
        for (int e = 0; e < experts; e++)
        {
            starts[e] = rows;
            if (next == wave.Length || wave[next] != e) continue;
            next++;
            for (int i = _bounds[e]; i < _bounds[e + 1]; i++, rows++)
            {
                slotOf[rows] = _slotOf[i];
                _rowOf[_slotOf[i]] = first + rows;
            }
        }

        starts[experts] = rows;
        _backend.Write(slotOf, places);
        _backend.Write(starts, offsets);
    }

    /// <summary>The slots of a layer: rows and gates, sorted by expert through <paramref name="SlotOf"/>, and back through <paramref name="RowOf"/>.</summary>
    private readonly record struct Slots(Tensor X, Tensor Gates, Tensor Offsets, Tensor SlotOf, Tensor RowOf);
}
