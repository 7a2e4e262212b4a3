namespace Hadal.Data.Decontamination;

/// <summary>A part of an item that texts are searched for.</summary>
/// <param name="Set">The set, as an index into the names.</param>
/// <param name="Item">The item's number.</param>
/// <param name="Part">Which part of it.</param>
internal readonly record struct ItemPart(int Set, int Item, EvaluationPart Part);
