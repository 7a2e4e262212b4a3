namespace Hadal.Model.Checkpoints;

/// <summary>How far a conversion has come.</summary>
/// <param name="DoneElements">Elements written.</param>
/// <param name="TotalElements">Elements to write.</param>
/// <param name="Tensor">Name of the tensor being written, in the new file.</param>
public readonly record struct ConversionProgress(long DoneElements, long TotalElements, string Tensor);
