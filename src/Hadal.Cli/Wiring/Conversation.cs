using Hadal.Inference.Generation;
using Hadal.Model.Chat;
using Hadal.Model.Tokenization;

namespace Hadal.Cli.Wiring;

/// <summary>Messages back and forth, and the prompt that they make.</summary>
internal sealed class Conversation
{
    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate _template;
    private readonly GenerationRequest _request;
    private readonly string? _system;
    private readonly bool? _thinking;
    private readonly List<ChatMessage> _messages = [];

    public Conversation(TextGenerator generator, Tokenizer tokenizer, ChatTemplate template, GenerationRequest request, string? system, bool? thinking)
    {
        // Where thoughts are marked by control tokens, the text has to have those.
        (Generator, _tokenizer, _template) = (generator, tokenizer, template);
        (_request, _system, _thinking) = (request with { SkipSpecialTokens = template.Reasoning is null }, system, thinking);
        Clear();
    }

    public TextGenerator Generator { get; }

    public IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>Forgets everything but what the model was told at the beginning.</summary>
    public void Clear()
    {
        _messages.Clear();
        if (_system is not null) _messages.Add(new ChatMessage("system", _system));
    }

    /// <summary>Says something and has it answered. If that fails it was not said.</summary>
    /// <param name="content">What the person says; control tokens that it spells are plain text.</param>
    /// <param name="generate">Generates the answer; the parser is there to show it as it comes.</param>
    public GenerationResult Say(string content, Func<GenerationRequest, AnswerParser, GenerationResult> generate)
    {
        _messages.Add(new ChatMessage("user", content));
        try
        {
            ChatConversation conversation = new(_messages) { Thinking = _thinking };
            var result = generate(_request with { PromptTokens = _template.Encode(_tokenizer, conversation) }, _template.CreateParser(conversation));
            _messages.Add(_template.ReadAnswer(conversation, result.Text));
            return result;
        }
        catch
        {
            _messages.RemoveAt(_messages.Count - 1);
            throw;
        }
    }
}
