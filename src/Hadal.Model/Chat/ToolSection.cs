using System.Text;

namespace Hadal.Model.Chat;

/// <summary>What the system prompt says of the tools. The control tokens in it are the template's; names, descriptions and schemas are text.</summary>
internal static class ToolSection
{
    private const string NoParameters = """{"type": "object", "properties": {}}""";

    /// <summary>
    /// For V3 and R1, whose own templates know no tools. Serving recipes put a section of this build into the system prompt: how a call is written, then
    /// each function as a JSON object in a fence.
    /// </summary>
    internal static void WriteFenced(IReadOnlyList<ChatTool> tools, bool afterSystem, ChatPrompt prompt)
    {
        if (tools.Count == 0) return;
        prompt.Text((afterSystem ? "\n\n" : "") + "## Tools\n\nYou can call the functions listed below. Write calls exactly like this:\n\n")
            .Control(ToolCallFormat.SectionBegin).Control(ToolCallFormat.CallBegin).Text("function").Control(ToolCallFormat.NameSeparator)
            .Text("FUNCTION_NAME\n```json\n{\"PARAMETER\": \"VALUE\"}\n```").Control(ToolCallFormat.CallEndToken).Control(ToolCallFormat.SectionEndToken)
            .Text("\n\nThe arguments are one valid JSON object that follows the schema of the function's parameters. To make several calls, put them all between ")
            .Control(ToolCallFormat.SectionBegin).Text(" and ").Control(ToolCallFormat.SectionEndToken)
            .Text(", one per line. End the message after the calls.\n\n### Functions\n");
        StringBuilder json = new();
        foreach (var tool in tools)
        {
            json.Clear().Append("\n```json\n{\"type\": \"function\", \"function\": {\"name\": ");
            PythonJson.Append(tool.Name, json);
            if (tool.Description is { } description) PythonJson.Append(description, json.Append(", \"description\": "));
            json.Append(", \"parameters\": ").Append(Schema(tool)).Append("}}\n```\n");
            prompt.Text(json.ToString());
        }
    }

    /// <summary>
    /// For V3.1: the section that its model card prescribes, word for word, since the model was trained on it; always preceded by a blank line. What an
    /// absent description becomes is not prescribed: here nothing.
    /// </summary>
    internal static void WriteBare(IReadOnlyList<ChatTool> tools, ChatPrompt prompt)
    {
        if (tools.Count == 0) return;
        prompt.Text("\n\n## Tools\nYou have access to the following tools:\n");
        foreach (var tool in tools) prompt.Text($"\n### {tool.Name}\nDescription: {tool.Description}\n\nParameters: {Schema(tool)}\n");
        prompt.Text("\nIMPORTANT: ALWAYS adhere to this exact format for tool use:\n")
            .Control(ToolCallFormat.SectionBegin).Control(ToolCallFormat.CallBegin).Text("tool_call_name").Control(ToolCallFormat.NameSeparator)
            .Text("tool_call_arguments").Control(ToolCallFormat.CallEndToken).Text("{{additional_tool_calls}}").Control(ToolCallFormat.SectionEndToken)
            .Text("""


                Where:

                - `tool_call_name` must be an exact match to one of the available tools
                - `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema
                - For multiple tool calls, chain them directly without separators or spaces

                """.ReplaceLineEndings("\n"));
    }

    private static string Schema(ChatTool tool)
        => tool.Parameters is { } schema ? PythonJson.Rewrite(schema, $"the schema of the parameters of the tool {tool.Name}") : NoParameters;
}
