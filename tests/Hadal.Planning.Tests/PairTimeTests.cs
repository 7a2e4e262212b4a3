using Hadal.Planning.Plans;
using Hadal.Planning.Training;

namespace Hadal.Planning.Tests;

public class PairTimeTests
{
    private static readonly ChunkTimes _times = new(PlanPresets.V3H800);

    [Fact]
    public void A_dense_pair_moves_nothing_and_takes_the_sum_of_its_parts()
    {
        var stage = new StageContent([false, false], false, 0, 0);
        var pair = PairTime.Of(_times, stage, stage);
        Assert.Equal(0, pair.Exposed, 1e-12);
        Assert.Equal(_times.Compute(stage), pair.Seconds, 1e-12);
    }

    [Fact]
    public void Heads_and_projections_are_computed_on_both_sides()
    {
        var end = new StageContent([false], false, 2, 1);
        var plain = new StageContent([false], false, 0, 0);
        var ends = _times.Ends(end);
        Assert.Equal(PairTime.Of(_times, plain, plain).Seconds + ends.Forward, PairTime.Of(_times, end, plain).Seconds, 1e-12);
        Assert.Equal(PairTime.Of(_times, plain, plain).Seconds + ends.Backward + ends.Weights, PairTime.Of(_times, plain, end).Seconds, 1e-12);
    }

    [Fact]
    public void Only_the_first_dispatch_of_gradients_stands_open_however_many_layers_follow()
    {
        for (int layers = 1; layers <= 12; layers++)
        {
            var stage = new StageContent([.. Enumerable.Repeat(true, layers)], false, 0, 0);
            Assert.Equal(0.0044, PairTime.Of(_times, stage, stage).Exposed, 1e-9);
        }
    }

    [Fact]
    public void Movements_that_outlast_the_computing_beside_them_are_exposed()
    {
        var slow = new ChunkTimes(PlanPresets.V3H800 with { Cluster = PlanPresets.V3H800.Cluster with { NetworkGbPerS = 25 } });
        var stage = new StageContent([true, true, true, true], false, 0, 0);
        var pair = PairTime.Of(slow, stage, stage);

        // Everything moves over one stream: no pair is shorter than that, nor shorter than its computing.
        var layer = slow.Experts;
        double moves = 4 * (layer.Dispatch + layer.Combine + layer.GradientCombine) + layer.GradientDispatchAlone + 3 * layer.GradientDispatch;
        Assert.True(pair.Seconds >= moves && pair.Exposed > 0.05);
        Assert.Equal(pair.Seconds - 0.1243, pair.Exposed, 1e-9);
    }

    [Fact]
    public void Stages_of_different_lengths_run_side_by_side()
    {
        var (one, five) = (new StageContent([true], false, 0, 0), new StageContent([false, false, true, true, true], false, 0, 0));
        double both = PairTime.Of(_times, one, five).Seconds + PairTime.Of(_times, five, one).Seconds;
        Assert.InRange(both, _times.Compute(one) + _times.Compute(five), _times.Forward(one) + _times.Forward(five) + _times.Backward(one) + _times.Backward(five) + _times.Weights(one) + _times.Weights(five));
    }
}
