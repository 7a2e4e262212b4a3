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
}
