namespace Hadal.Inference.Generation;

/// <summary>A piece of a text that is being generated.</summary>
/// <param name="Text">What has become certain since the last piece; may be empty in the last one.</param>
/// <param name="Result">The whole result, in the last piece only.</param>
public readonly record struct GenerationUpdate(string Text, GenerationResult? Result);
