using Hadal.Model.Configuration;
using Hadal.Planning.Plans;
using Hadal.Planning.Serving;

namespace Hadal.Planning.Tests;

public class ServingPlannerTests
{
    private static readonly ServingForecast _v3 = ServingPlanner.Forecast(PlanPresets.V3Serving);

    [Fact]
    public void The_limit_of_the_network_is_the_published_67_tokens_a_second()
    {
        Assert.Equal(67, _v3.DecodeLimitTokensPerSecond, 1.0);

        // As stated: (1 + 2) bytes · 32 tokens · 9 experts · 7K / 50 GB/s, twice, 61 layers: 14.76 ms with 7000 for 7168.
        Assert.Equal(0.01476 * 7168 / 7000, 1 / _v3.DecodeLimitTokensPerSecond, 1e-5);
        var fast = ServingPlanner.Forecast(PlanPresets.V3Serving with { Cluster = PlanPresets.V3Serving.Cluster with { NetworkGbPerS = 900 } });
        Assert.Equal(1200, fast.DecodeLimitTokensPerSecond, 15.0);
    }

    [Fact]
    public void Capacities_lie_above_the_means_of_a_day_and_within_twice_of_them()
    {
        Assert.InRange(_v3.PrefillTokensPerSecondPerNode / 73.7e3, 1, 2);
        Assert.InRange(_v3.DecodeTokensPerSecondPerNode / 14.8e3, 1, 2);
        Assert.Equal(_v3.PrefillComputedTokensPerSecondPerNode / (1 - 0.563), _v3.PrefillTokensPerSecondPerNode, 1e-6);
    }

    [Fact]
    public void Requests_fill_the_cache_or_the_time_between_tokens()
    {
        Assert.True(_v3.DecodeRequestsPerDevice * 4989 <= _v3.CacheTokensPerDevice);
        Assert.True((_v3.DecodeRequestsPerDevice + 1) * 4989 > _v3.CacheTokensPerDevice);
        var quick = ServingPlanner.Forecast(PlanPresets.V3Serving with { TokensPerSecondPerRequest = 50 });
        Assert.True(quick.SecondsPerToken <= 0.02 && quick.DecodeRequestsPerDevice < _v3.DecodeRequestsPerDevice);
        Assert.True(new DecodeTimes(quick.Plan).SecondsPerToken(quick.DecodeRequestsPerDevice + 1) > 0.02);
        Assert.True(_v3.FloorSecondsPerToken < quick.SecondsPerToken);
    }

    [Fact]
    public void A_request_alone_waits_for_little_more_than_the_weights_of_its_device()
    {
        double read = new DecodeTimes(PlanPresets.V3Serving).WeightBytes - 2 * 129280 * 7168.0;
        Assert.InRange(_v3.FloorSecondsPerToken, read / 3000e9, 1.15 * read / 3000e9);
    }

    [Fact]
    public void A_device_holds_its_share_of_the_experts_and_their_copies()
    {
        Assert.Equal(2, new DecodeTimes(PlanPresets.V3Serving).HostedExperts);
        Assert.Equal(1, new DecodeTimes(PlanPresets.V3Serving with { Decode = new ServingUnit { Devices = 320, RedundantExperts = 64 } }).HostedExperts);
    }

    [Theory]
    [InlineData("redundant", "decode.redundant_experts could be 32")]
    [InlineData("rate", "less than the 100 that are wanted")]
    [InlineData("requests", "900 requests of 4989 tokens do not fit on a device")]
    [InlineData("share", "a share of at least 0 and below 1")]
    [InlineData("context", "context is 0")]
    public void A_deployment_that_cannot_be_is_refused_with_what_would_be_right(string what, string part)
    {
        var plan = PlanPresets.V3Serving;
        plan = what switch
        {
            "redundant" => plan with { Decode = plan.Decode with { RedundantExperts = 7 } },
            "rate" => plan with { TokensPerSecondPerRequest = 100 },
            "requests" => plan with { RequestsPerDevice = 900 },
            "share" => plan with { CachedShare = 1 },
            _ => plan with { Context = 0 },
        };
        Assert.Contains(part, Assert.Throws<ConfigException>(() => ServingPlanner.Forecast(plan)).Message, StringComparison.Ordinal);
    }
}
