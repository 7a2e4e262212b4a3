using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>What an <see cref="AnswerParser"/> takes apart.</summary>
public sealed record AnswerParserOptions
{
    /// <summary>Tells thoughts from the answer; otherwise both are content, with the markers between them.</summary>
    public bool Reasoning { get; init; } = true;

    /// <summary>Finds tool calls; otherwise they are content as the model wrote them. Null: if the conversation has tools.</summary>
    public bool? ToolCalls { get; init; }

    /// <summary>
    /// Tells control tokens from text that spells them, so that a model which quotes a call (of a page that it was given, say) makes none. The text then has
    /// to come with its tokens (<see cref="AnswerParser.Push(string, IReadOnlyList{int})"/>). Null: text that spells a marker is one, and so it is for markers that are
    /// no token of this tokenizer.
    /// </summary>
    public Tokenizer? Tokenizer { get; init; }
}
