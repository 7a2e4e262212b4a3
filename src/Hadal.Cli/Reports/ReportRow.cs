namespace Hadal.Cli.Reports;

/// <summary>A line of one of the report's tables.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">Its value, as it is to be read.</param>
/// <param name="Note">What it means, in a few words; null for nothing.</param>
public sealed record ReportRow(string Name, string Value, string? Note = null);
