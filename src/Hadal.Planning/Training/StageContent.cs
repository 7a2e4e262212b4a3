namespace Hadal.Planning.Training;

/// <summary>What a stage of the pipeline holds.</summary>
/// <param name="Experts">For each of its layers, first to last, whether it has experts. An MTP module's layer counts as one.</param>
/// <param name="Embedding">Whether it begins with the embedding.</param>
/// <param name="Heads">How often it applies the output head: once for the main model and once for each MTP module.</param>
/// <param name="MtpModules">MTP modules behind its layers; their layers are in <paramref name="Experts"/>.</param>
internal sealed record StageContent(IReadOnlyList<bool> Experts, bool Embedding, int Heads, int MtpModules);
