namespace Hadal.Planning.Plans;

/// <summary>Published deployments as plans.</summary>
public static class PlanPresets
{
    /// <summary>Pre-training of DeepSeek-V3 on 2,048 H800: 16 pipeline ranks by DualPipe, experts over 64 devices, 15,360 sequences of 4,096 tokens a step, 14.8T tokens (report section 4.2).</summary>
    public static TrainingPlan V3H800 { get; } = new()
    {
        // Hours of the report's table 1 that are no pre-training; nothing in it says how they come about.
        OtherHours = new Dictionary<string, double> { ["context extension"] = 119_000, ["post-training"] = 5_000 },
    };

    /// <summary>Serving of DeepSeek-V3 and R1 in February 2025: prompts on units of 4 nodes, decoding on units of 18 nodes (open-infra-index, day 6).</summary>
    public static ServingPlan V3Serving { get; } = new();

    /// <summary>Names: <c>v3-h800</c>, <c>v3-serving</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [V3H800.Name, V3Serving.Name];
}
