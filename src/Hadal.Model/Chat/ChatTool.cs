namespace Hadal.Model.Chat;

/// <summary>A function that the assistant may call.</summary>
/// <param name="Name">The name it is called by.</param>
/// <param name="Description">What it does, for the model to read; null for none.</param>
/// <param name="Parameters">The JSON Schema of its arguments, as JSON text; null for a function without any.</param>
public sealed record ChatTool(string Name, string? Description = null, string? Parameters = null);
