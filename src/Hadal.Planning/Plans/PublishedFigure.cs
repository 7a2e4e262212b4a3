namespace Hadal.Planning.Plans;

/// <summary>A published figure beside what the planner makes of the published inputs.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Unit">Its unit; empty for a number without.</param>
/// <param name="Published">As published.</param>
/// <param name="Planned">As planned.</param>
/// <param name="Source">Where it is published.</param>
public sealed record PublishedFigure(string Name, string Unit, double Published, double Planned, string Source)
{
    /// <summary>By which share the planned figure is larger.</summary>
    public double Difference => Planned / Published - 1;
}
