namespace Hadal.Data.Decontamination;

/// <summary>The evaluation item that a document holds the most of.</summary>
/// <param name="Set">The set's name.</param>
/// <param name="Item">The item's number in it, from 0.</param>
/// <param name="Part">Which part of the item.</param>
/// <param name="MatchedShare">The share of the part's windows that the document holds.</param>
/// <param name="Start">Where the first of them begins, in UTF-16 code units from the beginning of the text.</param>
/// <param name="End">Where the last of them ends, exclusive.</param>
public sealed record Contamination(string Set, int Item, EvaluationPart Part, double MatchedShare, int Start, int End);
