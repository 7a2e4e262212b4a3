namespace Hadal.Data.Languages;

/// <summary>The language a text seems to be written in.</summary>
/// <param name="Language"><c>en</c>, <c>zh</c>, <c>ja</c>, <c>es</c>, <c>code:</c> with a programming language (<c>code:python</c>), or <c>other</c>.</param>
/// <param name="Share">
/// How much speaks for it, from 0 (nothing) to 1: for a language of its own script the share of the letters, for others that share times the odds against the
/// next likely language, for code the share of lines that look like code (1 where the path alone decides).
/// </param>
public readonly record struct LanguageGuess(string Language, double Share);
