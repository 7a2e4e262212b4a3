using Hadal.Inference.Generation;

namespace Hadal.Inference.Batching;

/// <summary>What a step has added to a text.</summary>
/// <param name="Text">What has become certain; may be empty.</param>
/// <param name="Tokens">Tokens of this step, without a stop token.</param>
/// <param name="Scores">One for each of them; null unless they were asked for.</param>
/// <param name="Result">The whole result, in the last update only.</param>
public sealed record EngineUpdate(string Text, IReadOnlyList<int> Tokens, IReadOnlyList<TokenScore>? Scores, GenerationResult? Result);
