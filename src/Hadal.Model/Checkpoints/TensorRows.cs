namespace Hadal.Model.Checkpoints;

/// <summary>Gives the values of a tensor that is being written.</summary>
/// <param name="tensor">Which tensor; never a copy or scales.</param>
/// <param name="firstRow">First row wanted; a vector is one row.</param>
/// <param name="rowCount">How many rows.</param>
/// <param name="destination">Receives [rowCount, columns] values.</param>
public delegate void TensorRows(TensorSpec tensor, long firstRow, int rowCount, Span<float> destination);
