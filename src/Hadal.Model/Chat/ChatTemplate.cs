using System.Security.Cryptography;
using System.Text;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// Turns a conversation into the prompt a model was trained on, and takes the model's answer apart. Published templates are Jinja programs; those known
/// to Hadal are recognised by their exact text and rendered by code of their own.
/// </summary>
public abstract class ChatTemplate
{
    /// <summary>What opens and closes thoughts; also what templates drop from earlier answers.</summary>
    private protected const string ThoughtStart = "<think>", ThoughtEnd = "</think>";

    private readonly string _beginOfSentence;

    private protected ChatTemplate(string name, string beginOfSentence) => (Name, _beginOfSentence) = (name, beginOfSentence);

    /// <summary>The names of the known templates, as <see cref="Named"/> takes them.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. KnownTemplate.All.Select(static t => t.Name)];

    /// <summary>The template's name, one of <see cref="Names"/>.</summary>
    public string Name { get; }

    /// <summary>How the model writes tool calls.</summary>
    public abstract ToolCallFormat ToolCalls { get; }

    /// <summary>How the model writes its thoughts; null for a model that does not think.</summary>
    public virtual ReasoningFormat? Reasoning => null;

    /// <summary>Whether <see cref="ChatConversation.Thinking"/> is heeded.</summary>
    public virtual bool CanSwitchThinking => false;

    /// <summary>The template a tokenizer's settings ask for, or null when they name none or one that is not known.</summary>
    public static ChatTemplate? Recognize(TokenizerSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.ChatTemplate is not { } text) return null;
        string hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.Trim())));
        return KnownTemplate.All.FirstOrDefault(t => t.TextHashes.Contains(hash))?.Create(settings.BosToken ?? "");
    }

    /// <summary>The template of a tokenizer, or the one that is chosen for it.</summary>
    /// <param name="tokenizer">The tokenizer of the model.</param>
    /// <param name="name">One of <see cref="Names"/>, which then counts instead of the model's own; null for that.</param>
    /// <exception cref="TokenizerException">The model has no chat template (a base model), or one that is not known; or no template has the name.</exception>
    public static ChatTemplate For(Tokenizer tokenizer, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (name is not null)
        {
            string assumed = tokenizer.IdOf(DeepSeekTokens.BeginOfSentence) is null ? "" : DeepSeekTokens.BeginOfSentence;
            return Named(name, tokenizer.Settings.BosToken ?? assumed);
        }

        return Recognize(tokenizer.Settings) ?? throw new TokenizerException(tokenizer.Settings.ChatTemplate is null
            ? "the model has no chat template (tokenizer_config.json has no chat_template), so it can complete text but not chat, "
              + $"unless one is chosen by name ({string.Join(", ", Names)})"
            : $"the model's chat template is not one that is known; choose one of the known by name ({string.Join(", ", Names)})");
    }

    /// <summary>A known template, whatever the model's own is.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="beginOfSentence">The token that begins a prompt; empty for none.</param>
    /// <exception cref="TokenizerException">No template has this name.</exception>
    public static ChatTemplate Named(string name, string beginOfSentence = DeepSeekTokens.BeginOfSentence)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(beginOfSentence);
        var known = KnownTemplate.All.FirstOrDefault(t => t.Name == name);
        return known?.Create(beginOfSentence)
            ?? throw new TokenizerException($"there is no chat template named {FilePlace.Quote(name)}; known are {string.Join(", ", Names)}");
    }

    /// <summary>Renders a conversation as text, in which control tokens are spelled out.</summary>
    /// <exception cref="TokenizerException">A message lacks content that the template needs, a tool's schema is not JSON, or there is no message to continue.</exception>
    public string Render(ChatConversation conversation) => Compose(conversation).Render();

    /// <summary>Renders a conversation as ids.</summary>
    /// <param name="tokenizer">The tokenizer of the model.</param>
    /// <param name="conversation">What was said, and how to go on.</param>
    /// <param name="inContent">
    /// Which added tokens to recognise in what messages and tools say. <see cref="AddedTokenRecognition.All"/> gives the ids of the rendered text, as the
    /// reference does; <see cref="AddedTokenRecognition.None"/> keeps users from writing control tokens.
    /// </param>
    /// <exception cref="TokenizerException">A message lacks content that the template needs, a tool's schema is not JSON, or there is no message to continue.</exception>
    public int[] Encode(Tokenizer tokenizer, ChatConversation conversation, AddedTokenRecognition inContent = AddedTokenRecognition.None)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return Compose(conversation).Encode(tokenizer, new EncodeOptions { AddedTokens = inContent });
    }

    /// <summary>A parser for one answer to a conversation.</summary>
    /// <param name="conversation">The conversation that was rendered; it tells whether the prompt ends within thoughts and whether there are tools.</param>
    /// <param name="options">What to take apart; null for thoughts, and calls if there are tools.</param>
    /// <exception cref="TokenizerException">As <see cref="Render"/>.</exception>
    public AnswerParser CreateParser(ChatConversation conversation, AnswerParserOptions? options = null)
    {
        options ??= new AnswerParserOptions();
        var prompt = Compose(conversation);
        string? open = conversation.ContinueLastMessage ? conversation.Messages[^1].Content : null;
        bool thinks = prompt.LastControl == ThoughtStart
            || (open?.TrimStart().StartsWith(ThoughtStart, StringComparison.Ordinal) == true && !open.Contains(ThoughtEnd, StringComparison.Ordinal));
        return new AnswerParser(
            options.Reasoning ? Reasoning : null,
            startsInReasoning: thinks,
            mayOpenReasoning: open is null && prompt.LastControl != ThoughtEnd,
            options.ToolCalls ?? conversation.Tools.Count > 0 ? ToolCalls : null,
            options.Tokenizer);
    }

    /// <summary>Takes a whole answer apart.</summary>
    /// <param name="conversation">The conversation that was rendered.</param>
    /// <param name="answer">The text, as <see cref="AnswerParser"/> takes it.</param>
    /// <param name="options">As for <see cref="CreateParser"/>; without a tokenizer.</param>
    /// <returns>
    /// The assistant's message: content (null if there are only calls), thoughts (null if there are none) and calls (null if there are none; without ids).
    /// </returns>
    /// <exception cref="TokenizerException">As <see cref="Render"/>.</exception>
    public ChatMessage ReadAnswer(ChatConversation conversation, string answer, AnswerParserOptions? options = null)
    {
        var parser = CreateParser(conversation, options);
        StringBuilder content = new(), reasoning = new();
        List<ChatToolCall> calls = [];
        foreach (var (kind, text, index) in (AnswerEvent[])[.. parser.Push(answer), .. parser.Finish()])
        {
            if (kind == AnswerEventKind.ContentDelta) content.Append(text);
            if (kind == AnswerEventKind.ReasoningDelta) reasoning.Append(text);
            if (kind == AnswerEventKind.ToolCallStarted) calls.Add(new ChatToolCall("function", text, ""));
            if (kind == AnswerEventKind.ToolCallArgumentsDelta) calls[index] = calls[index] with { Arguments = calls[index].Arguments + text };
        }

        bool onlyCalls = calls.Count > 0 && content.Length == 0;
        return new ChatMessage("assistant", onlyCalls ? null : content.ToString(), calls.Count > 0 ? calls : null)
        {
            Reasoning = reasoning.Length > 0 ? reasoning.ToString() : null,
        };
    }

    private ChatPrompt Compose(ChatConversation conversation)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        var messages = conversation.Messages;
        if (conversation.ContinueLastMessage && messages is not [.., { Role: "assistant", ToolCalls: null, Content: not null }])
        {
            throw new TokenizerException("there is no message to continue: the last must be the assistant's, with content and without tool calls");
        }

        ChatPrompt prompt = new();
        if (_beginOfSentence.Length > 0) prompt.Control(_beginOfSentence);
        bool hasSystem = WriteSystem(messages, prompt);
        WriteTools(conversation.Tools, hasSystem, prompt);
        Write(conversation, prompt);
        return prompt;
    }

    private protected abstract void WriteTools(IReadOnlyList<ChatTool> tools, bool afterSystem, ChatPrompt prompt);

    /// <summary>Writes what follows the system prompt.</summary>
    private protected abstract void Write(ChatConversation conversation, ChatPrompt prompt);

    /// <summary>What a message says, which must be something.</summary>
    private protected static string Content(IReadOnlyList<ChatMessage> messages, int index)
        => messages[index].Content ?? throw new TokenizerException($"message {index} ({messages[index].Role}) has no content, which the chat template needs");

    /// <summary>Ends a message, unless it is the one to be continued.</summary>
    private protected static void End(ChatConversation conversation, int index, ChatPrompt prompt)
    {
        if (!conversation.ContinueLastMessage || index != conversation.Messages.Count - 1) prompt.Control(DeepSeekTokens.EndOfSentence);
    }

    private static bool WriteSystem(IReadOnlyList<ChatMessage> messages, ChatPrompt prompt)
    {
        bool first = true;
        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i].Role != "system") continue;
            if (!first) prompt.Text("\n\n");
            prompt.Text(Content(messages, i));
            first = false;
        }

        return !first;
    }
}
