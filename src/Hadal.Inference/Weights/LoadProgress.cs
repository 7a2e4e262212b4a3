namespace Hadal.Inference.Weights;

/// <summary>How far loading has come.</summary>
/// <param name="LoadedBytes">Bytes of weights dealt with so far.</param>
/// <param name="TotalBytes">Bytes of weights in all.</param>
/// <param name="Tensor">Name of the tensor dealt with last.</param>
public readonly record struct LoadProgress(long LoadedBytes, long TotalBytes, string Tensor);
