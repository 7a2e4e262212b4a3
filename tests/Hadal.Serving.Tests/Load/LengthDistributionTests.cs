using Hadal.Serving.Load;

namespace Hadal.Serving.Tests.Load;

public sealed class LengthDistributionTests
{
    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("20-10")]
    [InlineData("1-2-3")]
    [InlineData("lognormal:100")]
    [InlineData("lognormal:100,9")]
    [InlineData("normal:100,1")]
    public void What_is_no_distribution_is_not_read(string text) => Assert.Null(LengthDistribution.Parse(text));

    [Fact]
    public void Lengths_are_drawn_as_described()
    {
        var random = new Random(1);
        Assert.Equal(64, LengthDistribution.Parse("64")!.Draw(random));
        var even = Enumerable.Range(0, 1000).Select(_ => LengthDistribution.Parse("3-7")!.Draw(random)).ToList();
        Assert.Equal([3, 4, 5, 6, 7], even.Distinct().Order());

        // 10,000 draws of a log-normal with σ = 0.5 have a standard error of the mean of 0.53%; the sixfold is allowed.
        var lengths = Enumerable.Range(0, 10_000).Select(_ => LengthDistribution.Parse("lognormal:500,0.5")!.Draw(random)).ToList();
        Assert.InRange(lengths.Average(), 484, 516);
        Assert.InRange(lengths.Order().ElementAt(5000), 500 * Math.Exp(-0.125) * 0.96, 500 * Math.Exp(-0.125) * 1.04);
    }

    [Fact]
    public void Percentiles_are_values_of_the_sample()
    {
        var p = LoadPercentiles.Of(Enumerable.Range(1, 200).Select(i => (double)i))!;
        Assert.Equal((200, 100.5, 100.0, 180.0, 198.0, 200.0), (p.Count, p.Mean, p.P50, p.P90, p.P99, p.Most));
        Assert.Null(LoadPercentiles.Of([]));
    }
}
