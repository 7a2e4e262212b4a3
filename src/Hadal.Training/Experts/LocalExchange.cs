using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Layers;

namespace Hadal.Training.Experts;

/// <summary>All experts live here: rows are sorted by expert, and nothing travels.</summary>
internal sealed class LocalExchange(ModelConfig config) : IExpertExchange
{
    public int FirstExpert => 0;

    public int Experts => config.RoutedExperts;

    public ExpertExchangeState CreateState() => new State();

    public void BeginDispatch(MicroBatchContext c, Tensor x, Tensor experts, Tensor weights, ExpertExchangeState state)
    {
        var s = (State)state;
        var slots = new Shape(experts.Count);
        s.Offsets = c.KeptIntegers(Experts + 1);
        s.Slots = c.KeptIntegers(experts.Count);
        s.Rows = c.KeptIntegers(experts.Count);
        c.Backend.SortByExpert(experts.Reshape(slots), s.Offsets, s.Slots, s.Rows);
        var sorted = c.KeptMatrix(experts.Count, 1);
        c.Backend.GatherRows(weights.Reshape(new Shape(experts.Count, 1)), s.Slots, 1, sorted);
        s.Weights = sorted.Reshape(slots);
        s.Travelling = x;
    }

    public ExpertRows EndDispatch(MicroBatchContext c, ExpertExchangeState state)
    {
        var s = (State)state;
        return new ExpertRows(Rows(c, s.Travelling, s), s.Offsets, s.Weights);
    }

    public void BeginCombine(MicroBatchContext c, Tensor y, ExpertExchangeState state) => ((State)state).Travelling = y;

    public void EndCombine(MicroBatchContext c, Tensor y, bool accumulate, ExpertExchangeState state)
    {
        var s = (State)state;
        c.Backend.CombineRows(s.Travelling, s.Rows, y, accumulate);
    }

    public void BeginGradientDispatch(MicroBatchContext c, Tensor dy, ExpertExchangeState state) => ((State)state).Travelling = dy;

    public Tensor EndGradientDispatch(MicroBatchContext c, ExpertExchangeState state)
    {
        var s = (State)state;
        return Sorted(c, s.Travelling, s, c.GradientMatrix(s.Slots.Count, s.Travelling.Columns));
    }

    public void BeginGradientCombine(MicroBatchContext c, Tensor dRows, Tensor dWeights, ExpertExchangeState state)
    {
        var s = (State)state;
        (s.Travelling, s.DWeights) = (dRows, dWeights);
    }

    public void EndGradientCombine(MicroBatchContext c, Tensor dWeights, ExpertExchangeState state)
    {
        var s = (State)state;
        var column = new Shape(dWeights.Count, 1);
        c.Backend.GatherRows(s.DWeights.Reshape(column), s.Rows, 1, dWeights.Reshape(column));
    }

    public void AddGradient(MicroBatchContext c, Tensor dx, ExpertExchangeState state) => EndCombine(c, dx, accumulate: true, state);

    // Sent a second time rather than kept once per expert.
    public Tensor Rows(MicroBatchContext c, Tensor x, ExpertExchangeState state)
    {
        var s = (State)state;
        return Sorted(c, x, s, c.Matrix(s.Slots.Count, x.Columns));
    }

    private Tensor Sorted(MicroBatchContext c, Tensor x, State s, Tensor sorted)
    {
        c.Backend.GatherRows(x, s.Slots, config.ExpertsPerToken, sorted);
        return sorted;
    }

    private sealed class State : ExpertExchangeState
    {
        /// <summary>I32 [T·C] each: slot of every sorted row, sorted row of every slot.</summary>
        public Tensor Slots, Rows;

        public Tensor Offsets, Weights, DWeights;

        /// <summary>Rows between the beginning of a carriage and its end.</summary>
        public Tensor Travelling;
    }
}
