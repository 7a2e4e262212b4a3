using Hadal.Planning.Plans;

namespace Hadal.Planning.Search;

/// <summary>Layouts that fall for one reason.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Count">How many.</param>
/// <param name="Example">One of them.</param>
/// <param name="Sentence">What is wrong with that one.</param>
public sealed record FallenLayouts(string Reason, int Count, TrainingLayout Example, string Sentence);
