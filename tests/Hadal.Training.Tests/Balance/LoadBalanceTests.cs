using CsCheck;
using Hadal.Training.Balance;

namespace Hadal.Training.Tests.Balance;

public class LoadBalanceTests
{
    [Fact]
    public void The_bias_of_the_overloaded_falls_of_the_underloaded_rises_and_of_the_average_stays()
    {
        float[] bias = [0, 0.5f, -1];
        LoadBalance.UpdateBias([6, 4, 2], 0.25f, bias);
        Assert.Equal([-0.25f, 0.5f, -0.75f], bias);
    }

    [Fact]
    public void A_mean_that_is_no_integer_is_compared_exactly()
    {
        float[] bias = [0, 0, 0];
        LoadBalance.UpdateBias([3, 3, 4], 1, bias);
        Assert.Equal([1, 1, -1], bias);
    }

    [Fact]
    public void Max_violation_is_zero_for_balance_and_experts_minus_one_for_collapse()
    {
        Assert.Equal(0, LoadBalance.MaxViolation([5, 5, 5]));
        Assert.Equal(3, LoadBalance.MaxViolation([8, 0, 0, 0]));
        Assert.Equal(0, LoadBalance.MaxViolation([0, 0]));
        Gen.Long[0, 1000].Array[2, 40].Sample(load => LoadBalance.MaxViolation(load) is >= 0 and <= 40);
    }

    [Fact]
    public void Entropy_is_one_for_balance_and_zero_for_collapse()
    {
        Assert.Equal(1, LoadBalance.Entropy([7, 7, 7, 7]), 1e-12);
        Assert.Equal(0, LoadBalance.Entropy([0, 9, 0, 0]), 1e-12);
        Assert.Equal(0.5, LoadBalance.Entropy([3, 3, 0, 0]), 1e-12);
        Assert.Equal(0, LoadBalance.Entropy([0, 0]));
    }

    [Fact]
    public void Spread_is_the_largest_minus_the_smallest_bias()
    {
        Assert.Equal(0.75, LoadBalance.Spread([0.25f, -0.5f, 0]));
        Assert.Equal(0, LoadBalance.Spread([]));
    }

    [Fact]
    public void Churn_counts_choices_that_the_token_had_not_made_before_in_any_order()
    {
        Assert.Equal(0, LoadBalance.Churn([1, 2, 3, 4], [2, 1, 4, 3], 2));
        Assert.Equal(0.25, LoadBalance.Churn([1, 2, 3, 4], [1, 2, 3, 1], 2));
        Assert.Equal(1, LoadBalance.Churn([1, 2, 3, 4], [3, 4, 1, 2], 2));
    }
}
