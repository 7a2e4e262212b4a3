namespace Hadal.Data.Shards;

/// <summary>A document as the table of a dataset names it.</summary>
/// <param name="Id">What its source calls it.</param>
/// <param name="Source">Where it comes from.</param>
public readonly record struct DocumentName(string Id, string Source);
