using Hadal.Numerics;

namespace Hadal.Training.Model;

/// <summary>Takes the gradients of one micro-batch back through a stage, part by part; weight gradients at once, or later by <see cref="Weights"/>.</summary>
/// <remarks>
/// The order inside a layer is that of the published training profile (specification section 9.1): gradients on their way to the experts; experts; their weights while gradients travel back; attention; its
/// weights, while the gradients of the layer before are on their way already.
/// </remarks>
internal sealed class BackwardPass(ModelStage stage)
{
    private readonly Arena?[] _scratch = new Arena?[2];
    private readonly Arena.Mark[] _marks = new Arena.Mark[2];
    private StageState? _state;
    private bool _defers;
    private int _unit;
    private Part _part;

    private enum Part
    {
        Begin,
        Mlp,
        Attention,
    }

    /// <summary>Told of the parts; null for nobody.</summary>
    public IPassObserver? Observer { get; set; }

    /// <summary>Begins a micro-batch.</summary>
    /// <param name="state">Of its forward; the gradient for its stream is there unless the stage has the losses.</param>
    /// <param name="scratch">Temporary memory that nothing else uses until the pass is over.</param>
    /// <param name="otherScratch">More of it for every second layer, if a layer begins before the one behind it has its weight gradients; the same as <paramref name="scratch"/> if not.</param>
    /// <param name="defersWeights">Whether weight gradients come later.</param>
    public void Begin(StageState state, Arena scratch, Arena otherScratch, bool defersWeights)
    {
        (_scratch[0], _scratch[1]) = (scratch, otherScratch);
        state.Use(scratch, defersWeights);
        (_state, _defers, _unit, _part) = (state, defersWeights, stage.Units - 1, Part.Begin);
    }

    private bool Overlaps => _scratch[0] != _scratch[1];

    /// <summary>Computes up to the next point where gradients travel.</summary>
    /// <returns>False when the micro-batch is through.</returns>
    public bool Advance()
    {
        var s = _state!;
        var block = stage.Block(_unit);
        var (c, bs) = (stage.Context(s, _unit), stage.State(s, _unit));
        var clock = new PartClock(Observer);
        int layer = stage.LayerOf(_unit);
        switch (_part)
        {
            case Part.Begin:
                BeginUnit(ref clock);
                break;
            case Part.Mlp:
                block.BackwardMlp(c, bs);
                clock.End(PassPart.BackwardMlp, layer);
                if (!_defers)
                {
                    block.MlpWeights(c, bs);
                    clock.End(PassPart.MlpWeights, layer);
                }

                _part = Part.Attention;
                break;
            default:
                block.BackwardAttention(c, stage.DStream(s, _unit), bs);
                stage.LeaveBackward(s, _unit);
                clock.End(PassPart.BackwardAttention, layer);
                bool isLast = _unit == 0;
                if (Overlaps && !isLast)
                {
                    _unit--;
                    BeginUnit(ref clock);
                    _unit++;
                }

                Use(_unit);
                if (!_defers)
                {
                    block.AttentionWeights(c, bs);
                    stage.OuterWeights(s, _unit);
                    clock.End(PassPart.AttentionWeights, layer);
                }

                block.BackwardEnd(c, bs);
                c.Scratch.Release(_marks[_unit & 1]);
                if (isLast)
                {
                    if (_defers) return false;
                    stage.EmbeddingWeights(s);
                    clock.End(PassPart.EmbeddingWeights, layer);
                    return false;
                }

                _unit--;
                if (Overlaps) Use(_unit);
                else BeginUnit(ref clock);
                _part = Part.Mlp;
                break;
        }

        return true;
    }

    /// <summary>The whole backward at once.</summary>
    public void Run(StageState state, Arena scratch, bool defersWeights)
    {
        Begin(state, scratch, scratch, defersWeights);
        while (Advance())
        {
        }
    }

    /// <summary>The weight gradients that a backward deferred.</summary>
    public void Weights(StageState state, Arena scratch)
    {
        state.Use(scratch, defersWeights: true);
        var clock = new PartClock(Observer);
        for (int u = stage.Units - 1; u >= 0; u--)
        {
            var (c, bs) = (stage.Context(state, u), stage.State(state, u));
            var mark = scratch.Save();
            stage.Block(u).MlpWeights(c, bs);
            clock.End(PassPart.MlpWeights, stage.LayerOf(u));
            stage.Block(u).AttentionWeights(c, bs);
            stage.OuterWeights(state, u);
            clock.End(PassPart.AttentionWeights, stage.LayerOf(u));
            scratch.Release(mark);
        }

        stage.EmbeddingWeights(state);
        clock.End(PassPart.EmbeddingWeights, stage.LayerOf(0));
    }

    private void BeginUnit(ref PartClock clock)
    {
        Use(_unit);
        _marks[_unit & 1] = _scratch[_unit & 1]!.Save();
        stage.EnterBackward(_state!, _unit);
        stage.Block(_unit).BackwardBegin(stage.Context(_state!, _unit), stage.DStream(_state!, _unit), stage.State(_state!, _unit));
        clock.End(PassPart.BackwardBegin, stage.LayerOf(_unit));
        _part = Part.Mlp;
    }

    private void Use(int unit) => _state!.Use(_scratch[unit & 1]!, _defers);
}
