using Hadal.Planning.Plans;

namespace Hadal.Planning.Serving;

/// <summary>What a serving deployment can do: capacities of full units, from rates that kernels reach.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="PrefillTokensPerSecondPerNode">Prompt tokens a second on a node of a reading unit, those found in a cache included.</param>
/// <param name="PrefillComputedTokensPerSecondPerNode">Of them, those that are computed.</param>
/// <param name="PrefillLayerMicroseconds">A layer's compute and movements for 4096 tokens: the longer one counts.</param>
/// <param name="DecodeTokensPerSecondPerNode">Decoded tokens a second on a node of a decoding unit.</param>
/// <param name="DecodeRequestsPerDevice">Requests on a device.</param>
/// <param name="SecondsPerToken">Between two tokens of a request.</param>
/// <param name="DecodeLayerMicroseconds">A layer's compute and movements for one micro-batch, half of the requests.</param>
/// <param name="DecodeLimitTokensPerSecond">Tokens a second that a request could get at most if nothing but the network took time.</param>
/// <param name="FloorSecondsPerToken">Between two tokens of a request that is alone on its device: little more than reading the weights once.</param>
/// <param name="CacheTokensPerDevice">Tokens whose latents a decoding device has room for.</param>
/// <param name="DecodeWeightBytes">Weights on a decoding device.</param>
public sealed record ServingForecast(
    ServingPlan Plan,
    double PrefillTokensPerSecondPerNode,
    double PrefillComputedTokensPerSecondPerNode,
    (double Compute, double Movements) PrefillLayerMicroseconds,
    double DecodeTokensPerSecondPerNode,
    int DecodeRequestsPerDevice,
    double SecondsPerToken,
    (double Compute, double Movements) DecodeLayerMicroseconds,
    double DecodeLimitTokensPerSecond,
    double FloorSecondsPerToken,
    double CacheTokensPerDevice,
    double DecodeWeightBytes);
