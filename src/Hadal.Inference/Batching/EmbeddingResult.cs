namespace Hadal.Inference.Batching;

/// <summary>The vector of a text.</summary>
/// <param name="Vector">[D]: pooled hidden states, of length 1.</param>
/// <param name="WaitSeconds">From the request's arrival until its text was begun.</param>
public sealed record EmbeddingResult(ReadOnlyMemory<float> Vector, double WaitSeconds);
