namespace Hadal.Data.Sources;

/// <summary>One text: the unit that is shuffled, split into training and validation, and closed with an end token.</summary>
/// <param name="Id">A name that is the same on every machine and in every run (a relative path, a type name): the split depends on it.</param>
/// <param name="Text">The text, without a byte order mark; never empty.</param>
public sealed record Document(string Id, string Text);
