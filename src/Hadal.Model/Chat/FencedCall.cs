namespace Hadal.Model.Chat;

/// <summary>One tool call as V3 and R1 write it.</summary>
internal static class FencedCall
{
    internal static void Write(ChatToolCall call, ChatPrompt prompt)
        => prompt.Control(ToolCallFormat.CallBegin).Text(call.Type).Control(ToolCallFormat.NameSeparator)
            .Text(call.Name).Text("\n```json\n").Text(call.Arguments).Text("\n```").Control(ToolCallFormat.CallEndToken);
}
