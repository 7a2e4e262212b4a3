using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// The chat template of DeepSeek-V3.1: a switch for thinking; every answer after a user message begins with <c>&lt;｜Assistant｜&gt;</c> and closed thoughts, that
/// to be written with open or closed ones; tool calls without kind, fence and line breaks; tool outputs without a frame around them all. After tool output the
/// model goes on at once: nothing is written for it. Without a user message last, no answer is opened.
/// </summary>
internal sealed class DeepSeekV31ChatTemplate(string name, string beginOfSentence) : ChatTemplate(name, beginOfSentence)
{
    public override ToolCallFormat ToolCalls => ToolCallFormat.Bare;

    public override ReasoningFormat? Reasoning => ReasoningFormat.DeepSeek;

    public override bool CanSwitchThinking => true;

    private protected override void WriteTools(IReadOnlyList<ChatTool> tools, bool afterSystem, ChatPrompt prompt) => ToolSection.WriteBare(tools, prompt);

    private protected override void Write(ChatConversation conversation, ChatPrompt prompt)
    {
        var messages = conversation.Messages;
        bool inTools = false, lastIsUser = false;
        for (int i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            switch (message.Role)
            {
                case "user":
                    (inTools, lastIsUser) = (false, true);
                    prompt.Control(DeepSeekTokens.User).Text(Content(messages, i));
                    break;
                case "assistant":
                    bool open = conversation is { ContinueLastMessage: true, Thinking: true } && i == messages.Count - 1;
                    if (lastIsUser) prompt.Control(DeepSeekTokens.Assistant).Control(open ? ThoughtStart : ThoughtEnd);
                    lastIsUser = false;
                    if (message.ToolCalls is { } calls) WriteCalls(message.Content ?? "", calls, prompt);
                    else prompt.Text(inTools ? Content(messages, i) : WithoutThoughts(Content(messages, i)));
                    inTools = false;
                    End(conversation, i, prompt);
                    break;
                case "tool":
                    (inTools, lastIsUser) = (true, false);
                    prompt.Control(ToolOutputTokens.Begin).Text(Content(messages, i)).Control(ToolOutputTokens.End);
                    break;
                default:
                    break;
            }
        }

        if (conversation is { AddGenerationPrompt: true, ContinueLastMessage: false } && lastIsUser)
        {
            prompt.Control(DeepSeekTokens.Assistant).Control(conversation.Thinking == true ? ThoughtStart : ThoughtEnd);
        }
    }

    // Up to the first end, where the other templates drop up to the last.
    private static string WithoutThoughts(string content)
    {
        int thought = content.IndexOf(ThoughtEnd, StringComparison.Ordinal);
        return thought < 0 ? content : content[(thought + ThoughtEnd.Length)..];
    }

    private static void WriteCalls(string content, IReadOnlyList<ChatToolCall> calls, ChatPrompt prompt)
    {
        for (int i = 0; i < calls.Count; i++)
        {
            if (i == 0) prompt.Text(content).Control(ToolCallFormat.SectionBegin);
            prompt.Control(ToolCallFormat.CallBegin).Text(calls[i].Name).Control(ToolCallFormat.NameSeparator)
                .Text(calls[i].Arguments).Control(ToolCallFormat.CallEndToken);
        }

        prompt.Control(ToolCallFormat.SectionEndToken);
    }
}
