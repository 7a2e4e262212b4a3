namespace Hadal.Inference.Batching;

/// <summary>How probable a token was.</summary>
/// <param name="Token">Its id.</param>
/// <param name="LogProbability">Natural logarithm of what the model gave it, before temperature, penalties and constraints.</param>
/// <param name="Alternatives">The most probable tokens of the place in falling order, as many as were asked for; the chosen one among them only if it is one
/// of these.</param>
public sealed record TokenScore(int Token, float LogProbability, IReadOnlyList<(int Token, float LogProbability)> Alternatives);
