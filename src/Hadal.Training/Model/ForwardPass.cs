using Hadal.Numerics;

namespace Hadal.Training.Model;

/// <summary>Takes one micro-batch through a stage, part by part: while rows of one part travel to or from experts, the caller may advance something else.</summary>
/// <remarks>An object is used for one micro-batch after the other, and allocates nothing.</remarks>
internal sealed class ForwardPass(ModelStage stage)
{
    private StageState? _state;
    private LossScales _scales;
    private BatchLosses? _losses;
    private int _unit;
    private Part _part;

    private enum Part
    {
        Attention,
        Mlp,
        End,
    }

    /// <summary>Told of the parts; null for nobody.</summary>
    public IPassObserver? Observer { get; set; }

    /// <summary>Begins a micro-batch.</summary>
    /// <param name="state">Prepared for it; its stream is there unless the stage embeds it.</param>
    /// <param name="scratch">Temporary memory that nothing else uses until the pass is over.</param>
    /// <param name="scales">Of the global batch.</param>
    /// <param name="losses">Receives the losses.</param>
    public void Begin(StageState state, Arena scratch, LossScales scales, BatchLosses losses)
    {
        state.Use(scratch, defersWeights: false);
        (_state, _scales, _losses, _unit, _part) = (state, scales, losses, 0, Part.Attention);
    }

    /// <summary>Computes up to the next point where rows travel.</summary>
    /// <returns>False when the micro-batch is through.</returns>
    public bool Advance()
    {
        var s = _state!;
        var clock = new PartClock(Observer);
        if (_part == Part.End)
        {
            stage.Block(_unit).ForwardEnd(stage.Context(s, _unit), stage.Stream(s, _unit), stage.State(s, _unit));
            stage.LeaveForward(s, _unit);
            clock.End(PassPart.End, stage.LayerOf(_unit));
            _unit++;
            _part = Part.Attention;
        }

        if (_unit == stage.Units)
        {
            stage.FinishForward(s, _scales, _losses!);
            clock.End(PassPart.Losses, stage.LayerOf(_unit - 1));
            return false;
        }

        if (_part == Part.Attention)
        {
            stage.EnterForward(s, _unit);
            stage.Block(_unit).ForwardAttention(stage.Context(s, _unit), stage.Stream(s, _unit), stage.State(s, _unit));
            clock.End(PassPart.Attention, stage.LayerOf(_unit));
            _part = Part.Mlp;
        }
        else
        {
            stage.Block(_unit).ForwardMlp(stage.Context(s, _unit), stage.State(s, _unit));
            clock.End(PassPart.Mlp, stage.LayerOf(_unit));
            _part = Part.End;
        }

        return true;
    }

    /// <summary>The whole forward at once.</summary>
    public void Run(StageState state, Arena scratch, LossScales scales, BatchLosses losses)
    {
        Begin(state, scratch, scales, losses);
        while (Advance())
        {
        }
    }
}
