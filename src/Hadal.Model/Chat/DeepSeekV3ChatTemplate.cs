using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// The chat template of DeepSeek-V3 and, where the prompt also opens the thoughts, of DeepSeek-R1, with its quirks: the flags for the first call and the
/// first tool output are never set back, so a second round of tool use lacks both openings; a user message right after tool output does not
/// close the outputs; messages of other roles are passed over.
/// </summary>
internal sealed class DeepSeekV3ChatTemplate(string name, string beginOfSentence, bool thinks) : ChatTemplate(name, beginOfSentence)
{
    public override ToolCallFormat ToolCalls => ToolCallFormat.Fenced;

    public override ReasoningFormat? Reasoning => thinks ? ReasoningFormat.DeepSeek : null;

    private protected override void WriteTools(IReadOnlyList<ChatTool> tools, bool afterSystem, ChatPrompt prompt)
        => ToolSection.WriteFenced(tools, afterSystem, prompt);

    private protected override void Write(ChatConversation conversation, ChatPrompt prompt)
    {
        var messages = conversation.Messages;
        State state = default;
        for (int i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            switch (message.Role)
            {
                case "user":
                    state.InTools = false;
                    prompt.Control(DeepSeekTokens.User).Text(Content(messages, i));
                    break;
                case "assistant" when message.ToolCalls is { } calls:
                    state.InTools = false;
                    WriteCalls(message.Content, calls, ref state, prompt);
                    break;
                case "assistant":
                    WriteAnswer(Content(messages, i), ref state, prompt);
                    End(conversation, i, prompt);
                    break;
                case "tool":
                    state.InTools = true;
                    if (!state.OutputsOpened) prompt.Control(ToolOutputTokens.SectionBegin);
                    state.OutputsOpened = true;
                    prompt.Control(ToolOutputTokens.Begin).Text(Content(messages, i)).Control(ToolOutputTokens.End);
                    break;
                default:
                    break;
            }
        }

        if (state.InTools) prompt.Control(ToolOutputTokens.SectionEnd);
        else if (conversation is { AddGenerationPrompt: true, ContinueLastMessage: false }) WriteGenerationPrompt(prompt);
    }

    private void WriteGenerationPrompt(ChatPrompt prompt)
    {
        prompt.Control(DeepSeekTokens.Assistant);
        if (thinks) prompt.Control(ThoughtStart).Text("\n");
    }

    private static void WriteCalls(string? content, IReadOnlyList<ChatToolCall> calls, ref State state, ChatPrompt prompt)
    {
        foreach (var call in calls)
        {
            if (state.CallsOpened) prompt.Text("\n");
            else prompt.Control(DeepSeekTokens.Assistant).Text(content ?? "").Control(ToolCallFormat.SectionBegin);
            state.CallsOpened = true;
            FencedCall.Write(call, prompt);
        }

        prompt.Control(ToolCallFormat.SectionEndToken).Control(DeepSeekTokens.EndOfSentence);
    }

    private static void WriteAnswer(string content, ref State state, ChatPrompt prompt)
    {
        if (state.InTools)
        {
            state.InTools = false;
            prompt.Control(ToolOutputTokens.SectionEnd).Text(content);
        }
        else
        {
            int thought = content.LastIndexOf(ThoughtEnd, StringComparison.Ordinal);
            prompt.Control(DeepSeekTokens.Assistant).Text(thought < 0 ? content : content[(thought + ThoughtEnd.Length)..]);
        }
    }

    private struct State
    {
        internal bool InTools;
        internal bool CallsOpened;
        internal bool OutputsOpened;
    }
}
