namespace Hadal.Data.Sources.Columnar;

/// <summary>A column of the table itself (not one inside a list or a struct).</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The physical type of its values.</param>
/// <param name="Optional">Whether values may be missing.</param>
internal sealed record TableColumn(string Name, PhysicalType Type, bool Optional);
