using Hadal.Planning.Training;

namespace Hadal.Planning.Search;

/// <summary>Layouts for a plan's model and devices, and why others fall.</summary>
/// <param name="Best">The fastest that fit, fastest first.</param>
/// <param name="Fitting">How many fit.</param>
/// <param name="Fallen">Why others do not, with one of them each, most frequent reason first.</param>
public sealed record LayoutProposal(IReadOnlyList<TrainingForecast> Best, int Fitting, IReadOnlyList<FallenLayouts> Fallen);
