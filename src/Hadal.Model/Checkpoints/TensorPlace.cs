namespace Hadal.Model.Checkpoints;

/// <summary>Where the elements of a tensor lie.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">First byte, from the start of the file.</param>
/// <param name="ByteLength">How many bytes.</param>
public readonly record struct TensorPlace(string Path, long Offset, long ByteLength);
