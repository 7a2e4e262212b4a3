using System.Security.Cryptography;
using System.Text;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// The chat template of DeepSeek-V3 (the version that drops reasoning up to <c>&lt;/think&gt;</c>), with its quirks: the flags for the first call and the
/// first tool output are never set back, so a second round of tool use lacks both openings; a user message right after tool output does not
/// close the outputs; messages of other roles are passed over.
/// </summary>
internal sealed class DeepSeekV3ChatTemplate(string beginOfSentence) : ChatTemplate
{
    private const string CallsBegin = "<｜tool▁calls▁begin｜>";
    private const string CallsEnd = "<｜tool▁calls▁end｜>";
    private const string CallBegin = "<｜tool▁call▁begin｜>";
    private const string CallEnd = "<｜tool▁call▁end｜>";
    private const string Separator = "<｜tool▁sep｜>";
    private const string OutputsBegin = "<｜tool▁outputs▁begin｜>";
    private const string OutputsEnd = "<｜tool▁outputs▁end｜>";
    private const string OutputBegin = "<｜tool▁output▁begin｜>";
    private const string OutputEnd = "<｜tool▁output▁end｜>";
    private const string ThoughtEnd = "</think>";

    // SHA-256 of the template's text in UTF-8.
    private const string TextHash = "3A3036EEB96CA0E48565FC1F19B4D7D3FA17ADA32BB1B3D5ED539AE74CF22923";

    /// <summary>True for the published text of this template.</summary>
    internal static bool IsTextOf(string template) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(template.Trim()))) == TextHash;

    private protected override void Write(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, ChatPrompt prompt)
    {
        if (beginOfSentence.Length > 0) prompt.Control(beginOfSentence);
        WriteSystem(messages, prompt);
        State state = default;
        for (int i = 0; i < messages.Count; i++)
        {
            ChatMessage message = messages[i];
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
                    break;
                case "tool":
                    state.InTools = true;
                    if (!state.OutputsOpened) prompt.Control(OutputsBegin);
                    state.OutputsOpened = true;
                    prompt.Control(OutputBegin).Text(Content(messages, i)).Control(OutputEnd);
                    break;
                default:
                    break;
            }
        }

        if (state.InTools) prompt.Control(OutputsEnd);
        else if (addGenerationPrompt) prompt.Control(DeepSeekTokens.Assistant);
    }

    private static void WriteSystem(IReadOnlyList<ChatMessage> messages, ChatPrompt prompt)
    {
        bool first = true;
        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i].Role != "system") continue;
            if (!first) prompt.Text("\n\n");
            prompt.Text(Content(messages, i));
            first = false;
        }
    }

    private static void WriteCalls(string? content, IReadOnlyList<ChatToolCall> calls, ref State state, ChatPrompt prompt)
    {
        foreach (ChatToolCall call in calls)
        {
            if (state.CallsOpened) prompt.Text("\n");
            else prompt.Control(DeepSeekTokens.Assistant).Text(content ?? "").Control(CallsBegin);
            state.CallsOpened = true;
            prompt.Control(CallBegin).Text(call.Type).Control(Separator)
                .Text(call.Name).Text("\n```json\n").Text(call.Arguments).Text("\n```").Control(CallEnd);
        }

        prompt.Control(CallsEnd).Control(DeepSeekTokens.EndOfSentence);
    }

    private static void WriteAnswer(string content, ref State state, ChatPrompt prompt)
    {
        if (state.InTools)
        {
            state.InTools = false;
            prompt.Control(OutputsEnd).Text(content);
        }
        else
        {
            int thought = content.LastIndexOf(ThoughtEnd, StringComparison.Ordinal);
            prompt.Control(DeepSeekTokens.Assistant).Text(thought < 0 ? content : content[(thought + ThoughtEnd.Length)..]);
        }

        prompt.Control(DeepSeekTokens.EndOfSentence);
    }

    private static string Content(IReadOnlyList<ChatMessage> messages, int index)
        => messages[index].Content ?? throw new TokenizerException($"message {index} ({messages[index].Role}) has no content, which the chat template needs");

    private struct State
    {
        internal bool InTools;
        internal bool CallsOpened;
        internal bool OutputsOpened;
    }
}
