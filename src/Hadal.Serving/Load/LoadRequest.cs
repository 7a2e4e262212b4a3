namespace Hadal.Serving.Load;

/// <summary>One request to be sent.</summary>
/// <param name="Body">The JSON.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="GiveUpAfter">Pieces after which the answer is given up; null for never.</param>
/// <param name="IsSlow">Whether the reader pauses after every piece.</param>
internal sealed record LoadRequest(byte[] Body, int PromptTokens, int? GiveUpAfter, bool IsSlow);
