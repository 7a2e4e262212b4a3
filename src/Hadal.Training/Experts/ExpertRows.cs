using Hadal.Numerics;

namespace Hadal.Training.Experts;

/// <summary>Rows where their experts live, sorted by expert.</summary>
/// <param name="Rows">[S, D].</param>
/// <param name="Offsets">I32 [experts + 1]: where the rows of each expert begin, and the end.</param>
/// <param name="Weights">[S]: the gate weight of each row.</param>
internal readonly record struct ExpertRows(Tensor Rows, Tensor Offsets, Tensor Weights);
