using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// Turns a conversation into the prompt a model was trained on. Published templates are Jinja programs; those known to Hadal are recognised by their
/// exact text and rendered by code of their own.
/// </summary>
public abstract class ChatTemplate
{
    private protected ChatTemplate()
    {
    }

    /// <summary>The template a tokenizer's settings ask for, or null when they name none or one that is not known.</summary>
    public static ChatTemplate? Recognize(TokenizerSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.ChatTemplate is { } text && DeepSeekV3ChatTemplate.IsTextOf(text) ? new DeepSeekV3ChatTemplate(settings.BosToken ?? "") : null;
    }

    /// <summary>The template of a tokenizer.</summary>
    /// <exception cref="TokenizerException">The model has no chat template (a base model), or one that is not known.</exception>
    public static ChatTemplate For(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return Recognize(tokenizer.Settings) ?? throw new TokenizerException(tokenizer.Settings.ChatTemplate is null
            ? "the model has no chat template (tokenizer_config.json has no chat_template), so it can complete text but not chat"
            : "the model's chat template is not one that is known; known is that of DeepSeek-V3");
    }

    /// <summary>Renders a conversation as text, in which control tokens are spelled out.</summary>
    /// <param name="messages">The conversation; it may be empty.</param>
    /// <param name="addGenerationPrompt">Ends the prompt where the assistant's next message begins.</param>
    /// <exception cref="TokenizerException">A message lacks content that the template needs.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) => Compose(messages, addGenerationPrompt).Render();

    /// <summary>Renders a conversation as ids.</summary>
    /// <param name="tokenizer">The tokenizer of the model.</param>
    /// <param name="messages">The conversation; it may be empty.</param>
    /// <param name="addGenerationPrompt">Ends the prompt where the assistant's next message begins.</param>
    /// <param name="inContent">
    /// Which added tokens to recognise in what the messages say. <see cref="AddedTokenRecognition.All"/> gives the ids of the rendered text, as the
    /// reference does; <see cref="AddedTokenRecognition.None"/> keeps users from writing control tokens.
    /// </param>
    /// <exception cref="TokenizerException">A message lacks content that the template needs.</exception>
    public int[] Encode(Tokenizer tokenizer, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, AddedTokenRecognition inContent)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return Compose(messages, addGenerationPrompt).Encode(tokenizer, new EncodeOptions { AddedTokens = inContent });
    }

    private ChatPrompt Compose(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ChatPrompt prompt = new();
        Write(messages, addGenerationPrompt, prompt);
        return prompt;
    }

    private protected abstract void Write(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, ChatPrompt prompt);
}
