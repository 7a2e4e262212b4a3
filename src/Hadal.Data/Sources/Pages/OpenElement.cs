namespace Hadal.Data.Sources.Pages;

/// <summary>An element that is open, with what it took over from those around it.</summary>
/// <param name="Tag">What it means.</param>
/// <param name="Name">A number for its name.</param>
/// <param name="Dropped">Its text is no part of the page's.</param>
/// <param name="Linked">Its text is that of a link.</param>
/// <param name="Verbatim">White space counts in it.</param>
/// <param name="Region">The number of the innermost main part or article around it; 0 for none.</param>
/// <param name="Form">The number of the form around it; 0 for none.</param>
/// <param name="Lists">How many lists are around it.</param>
internal readonly record struct OpenElement(PageTag Tag, int Name, bool Dropped, bool Linked, bool Verbatim, int Region, int Form, int Lists);
