namespace Hadal.Planning.Plans;

/// <summary>Devices that serve together: one copy of the routed experts, attention on each device for itself.</summary>
public sealed record ServingUnit
{
    /// <summary>Devices; the routed experts and their copies are shared out over them.</summary>
    public int Devices { get; init; } = 32;

    /// <summary>Copies of busy experts beside one of each.</summary>
    public int RedundantExperts { get; init; } = 32;
}
