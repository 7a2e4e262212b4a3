namespace Hadal.Model.Chat;

/// <summary>A call of a tool, as an assistant message holds it.</summary>
/// <param name="Type">What is called, normally <c>function</c>.</param>
/// <param name="Name">The function's name.</param>
/// <param name="Arguments">The arguments as JSON text, passed on as they are.</param>
public sealed record ChatToolCall(string Type, string Name, string Arguments)
{
    /// <summary>What the tool's answer names the call by. No template renders it.</summary>
    public string? Id { get; init; }
}
