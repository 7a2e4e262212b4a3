using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <content>Dense MLPs and mixtures of experts (report equations 12 to 16). Legend: E experts, K chosen per token, S = T·K slots, I inner width.</content>
public sealed partial class ModelRunner
{
    // y = down·(silu(gate·x) ⊙ up·x).
    private void Mlp(LayerWeights weights, Tensor x, Tensor output)
    {
        var mark = _arena.Save();
        var gateUp = _arena.Matrix(x.Rows, weights.GateUp!.OutFeatures);
        var inner = _arena.Matrix(x.Rows, gateUp.Columns / 2);
        _backend.MatMul(x, weights.GateUp, gateUp);
        _backend.SwiGlu(gateUp, default, inner);
        _backend.MatMul(inner, weights.DenseDown!, output);
        _arena.Release(mark);
    }

    // y = shared(x) + Σ_e g_e·expert_e(x) over the chosen experts. The gate weight multiplies the inner activation, which is the same thing.
    private void Experts(LayerWeights weights, int layer, Tensor x, Tensor output)
    {
        int rows = x.Rows, experts = _config.RoutedExperts, chosenPerRow = _rule.TopK;
        long slots = (long)rows * chosenPerRow;
        bool shared = weights.GateUp is not null;
        var mark = _arena.Save();
        var logits = _arena.Matrix(rows, experts);
        var scores = _arena.Matrix(rows, experts);
        var gates = _arena.Matrix(rows, chosenPerRow);
        var chosen = _arena.Allocate(DType.I32, new Shape(rows, chosenPerRow));
        _backend.MatMul(x, weights.Router!, logits);
        _backend.Route(logits, weights.RouterBias, _rule, scores, chosen, gates);
        if (Observer is { } observer)
        {
            observer.Observe(ForwardPoint.Experts, layer, chosen);
            observer.Observe(ForwardPoint.GateWeights, layer, gates);
        }

        // What has to be read from the disk is read while the shared experts are computed.
        if (_model.Experts is not null) RequireExperts(layer, chosen);
        if (shared) Mlp(weights, x, output);

        var offsets = _arena.Allocate(DType.I32, new Shape(experts + 1));
        var slotOf = _arena.Allocate(DType.I32, new Shape(slots));
        var rowOf = _arena.Allocate(DType.I32, new Shape(slots));
        _backend.SortByExpert(chosen, offsets, slotOf, rowOf);
        var outputs = _arena.Matrix(slots, x.Columns);
        if (_model.Experts is { } cache && !cache.TryTakeAll(layer)) ExpertWaves(cache, weights, layer, new Slots(x, gates, offsets, slotOf, rowOf), outputs);
        else _backend.ExpertMlp(x, slotOf, chosenPerRow, offsets, weights.ExpertGateUp!, weights.ExpertDown!, gates, outputs);
        _model.Experts?.EndLayer(layer);
        _backend.CombineRows(outputs, rowOf, output, accumulate: shared);
        _arena.Release(mark);
    }
}
