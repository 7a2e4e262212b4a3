using Hadal.Inference.Batching;

namespace Hadal.Inference.Tests.Batching;

public class StepCostTests
{
    [Fact]
    public void A_line_is_found_again()
    {
        var cost = new StepCost();
        Assert.False(cost.IsKnown);
        for (int i = 0; i < 50; i++) cost.Add(1 + i % 8, 0, 0.01 + 0.002 * (1 + i % 8), 2);
        Assert.Equal(0.002, cost.PerRow, 6);
        Assert.Equal(0.01 + 0.002 * 30, cost.Of(30), 6);

        // One step that something else held up is no reason to think otherwise.
        cost.Add(4, 0, 5, 2);
        Assert.Equal(0.018, cost.Of(4), 6);
    }

    // A step of 20 ms without prompts; a piece takes 5 ms and 0.1 ms a row: up to 150 rows it is at most twice as long.
    [Theory]
    [InlineData(0.005, 0.0001, 150)]
    [InlineData(0.015, 0.0001, 50)]
    [InlineData(0.1, 0.0001, 16)]
    public void Pieces_become_as_long_as_the_stretch_allows_and_not_much_longer(double start, double perRow, int expected)
    {
        var cost = new StepCost();
        for (int i = 0; i < 10; i++) cost.Add(8, 0, 0.02, 2);
        for (int i = 0; i < 100; i++) cost.Add(8, cost.PieceRows, 0.02 + start + perRow * cost.PieceRows, 2);
        Assert.InRange(cost.PieceRows, 0.8 * expected, 1.2 * expected);
    }

    [Fact]
    public void Steps_are_timed_again_when_they_have_grown_or_time_has_passed()
    {
        var cost = new StepCost();
        Assert.True(cost.NeedsTiming(1));
        cost.Add(8, 0, 0.02, 2);
        Assert.False(cost.NeedsTiming(9));
        Assert.True(cost.NeedsTiming(11));
        Assert.True(cost.NeedsTiming(5));
        for (int i = 0; i < 32; i++) cost.Add(8, 20, 0.03, 2);
        Assert.True(cost.NeedsTiming(8));
    }

    [Fact]
    public void Short_prompts_do_not_make_long_pieces()
    {
        var cost = new StepCost();
        for (int i = 0; i < 10; i++) cost.Add(8, 0, 0.02, 2);
        for (int i = 0; i < 100; i++) cost.Add(8, 4, 0.021, 2);
        Assert.Equal(64, cost.PieceRows);
    }
}
