namespace Hadal.Data.Sources.Pages;

/// <summary>A piece of a page's text that stands on its own.</summary>
/// <param name="Kind">What it is; <see cref="PageTag.Paragraph"/> or <see cref="PageTag.Block"/> where nothing more is known.</param>
/// <param name="Start">Where its characters begin in the page's text.</param>
/// <param name="Length">How many it has.</param>
/// <param name="Linked">How many of them belong to links.</param>
/// <param name="Region">The number of the main part or article that it is in; 0 for none.</param>
/// <param name="Form">The number of the form that it is in; 0 for none.</param>
/// <param name="Depth">How many lists are around it.</param>
/// <param name="Number">Its number in a numbered list; 0 for none.</param>
internal readonly record struct PageBlock(PageTag Kind, int Start, int Length, int Linked, int Region, int Form, int Depth, int Number);
