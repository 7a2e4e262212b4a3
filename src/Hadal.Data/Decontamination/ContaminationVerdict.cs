namespace Hadal.Data.Decontamination;

/// <summary>What the rules make of a document.</summary>
/// <param name="Found">The item that it holds; null if it holds none.</param>
/// <param name="Text">The text that stays: the same object if nothing was found, null if the document is left out.</param>
public readonly record struct ContaminationVerdict(Contamination? Found, string? Text);
