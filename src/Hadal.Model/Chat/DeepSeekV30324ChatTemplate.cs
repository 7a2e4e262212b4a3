using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// The chat template of DeepSeek-V3-0324 and DeepSeek-R1-0528, which mends that of V3. <c>&lt;｜Assistant｜&gt;</c> belongs to the user's message and is written
/// whether an answer is wanted or not; every round of tool use has its openings; tool outputs but the first begin on a line of their own; an answer without a
/// user message before it has no <c>&lt;｜Assistant｜&gt;</c>. R1-0528 drops thoughts from earlier answers and leaves it to the model to open its own;
/// V3-0324 keeps what earlier answers say as it is.
/// </summary>
/// <remarks>R1-0528's text fails on an answer with tool calls and null content; here null is the same as no text, as the branch for it in that text means.</remarks>
internal sealed class DeepSeekV30324ChatTemplate(string name, string beginOfSentence, bool thinks) : ChatTemplate(name, beginOfSentence)
{
    public override ToolCallFormat ToolCalls => ToolCallFormat.Fenced;

    public override ReasoningFormat? Reasoning => thinks ? ReasoningFormat.DeepSeek : null;

    private protected override void WriteTools(IReadOnlyList<ChatTool> tools, bool afterSystem, ChatPrompt prompt)
        => ToolSection.WriteFenced(tools, afterSystem, prompt);

    private protected override void Write(ChatConversation conversation, ChatPrompt prompt)
    {
        var messages = conversation.Messages;
        bool inTools = false, firstOutput = true, lastIsUser = false;
        for (int i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            switch (message.Role)
            {
                case "user":
                    (inTools, lastIsUser) = (false, true);
                    prompt.Control(DeepSeekTokens.User).Text(Content(messages, i)).Control(DeepSeekTokens.Assistant);
                    break;
                case "assistant":
                    lastIsUser = false;
                    if (inTools) prompt.Control(ToolOutputTokens.SectionEnd);
                    inTools = false;
                    if (message.ToolCalls is { } calls)
                    {
                        firstOutput = true;
                        WriteCalls(message.Content is { } said ? WithoutThoughts(said) : "", calls, prompt);
                    }
                    else
                    {
                        prompt.Text(WithoutThoughts(Content(messages, i)));
                    }

                    End(conversation, i, prompt);
                    break;
                case "tool":
                    (inTools, lastIsUser) = (true, false);
                    if (firstOutput) prompt.Control(ToolOutputTokens.SectionBegin);
                    else prompt.Text("\n");
                    firstOutput = false;
                    prompt.Control(ToolOutputTokens.Begin).Text(Content(messages, i)).Control(ToolOutputTokens.End);
                    break;
                default:
                    break;
            }
        }

        if (inTools) prompt.Control(ToolOutputTokens.SectionEnd);
        else if (conversation is { AddGenerationPrompt: true, ContinueLastMessage: false } && !lastIsUser) prompt.Control(DeepSeekTokens.Assistant);
    }

    private string WithoutThoughts(string content)
    {
        int thought = thinks ? content.LastIndexOf(ThoughtEnd, StringComparison.Ordinal) : -1;
        return thought < 0 ? content : content[(thought + ThoughtEnd.Length)..];
    }

    private static void WriteCalls(string content, IReadOnlyList<ChatToolCall> calls, ChatPrompt prompt)
    {
        for (int i = 0; i < calls.Count; i++)
        {
            if (i > 0) prompt.Text("\n");
            else prompt.Text(content).Control(ToolCallFormat.SectionBegin);
            FencedCall.Write(calls[i], prompt);
        }

        prompt.Control(ToolCallFormat.SectionEndToken);
    }
}
