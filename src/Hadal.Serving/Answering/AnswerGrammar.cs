using Hadal.Inference.Constraints;
using Hadal.Model.Chat;
using Hadal.Model.Tokenization;

namespace Hadal.Serving.Answering;

/// <summary>What an answer has to be like, as a grammar of tokens: JSON behind the thoughts, or calls of functions.</summary>
internal static class AnswerGrammar
{
    private const int MostParallelCalls = 64;

    /// <summary>The grammar of a turn.</summary>
    /// <param name="model">Whose tokens.</param>
    /// <param name="template">Whose markers.</param>
    /// <param name="turn">What is wanted.</param>
    /// <param name="thinks">Whether the answer begins with thoughts.</param>
    /// <returns>The grammar; null if the answer is free.</returns>
    /// <exception cref="RequestException">The schema is not possible.</exception>
    public static TokenGrammar? Of(ServedModel model, ChatTemplate template, ChatTurn turn, bool thinks)
    {
        bool calls = turn.ToolChoice == ToolChoice.Required;
        if (!calls && turn.Shape == AnswerShape.Free) return null;
        string field = calls ? "tools" : "response_format.json_schema.schema";
        try
        {
            var answer = calls ? Calls(model.Tokenizer, template.ToolCalls, turn) : turn.Schema is { } schema ? GrammarPart.JsonSchema(schema) : GrammarPart.Json();
            var parts = thinks && template.Reasoning is { } reasoning ? [.. Thoughts(model.Tokenizer, reasoning), answer] : new List<GrammarPart> { answer };
            return TokenGrammar.Compile(model.Vocabulary, GrammarPart.Sequence(parts));
        }
        catch (ConstraintException e)
        {
            throw new RequestException(e.Message, field, "unsupported_schema");
        }
    }

    // Whatever the model thinks, up to the marker, and the line breaks that it writes behind it.
    private static List<GrammarPart> Thoughts(Tokenizer tokenizer, ReasoningFormat format)
    {
        List<GrammarPart> parts = tokenizer.IdOf(format.End) is { } end ? [GrammarPart.Text(), GrammarPart.Token(end)] : [GrammarPart.TextThrough(format.End)];
        parts.Add(GrammarPart.Repeat(GrammarPart.Literal("\n"), 0, 2));
        return parts;
    }

    private static GrammarPart Calls(Tokenizer tokenizer, ToolCallFormat format, ChatTurn turn)
    {
        var tools = turn.Conversation.Tools.Where(t => turn.ToolName is null || t.Name == turn.ToolName).ToList();
        var call = GrammarPart.OneOf([.. tools.Select(Call)]);
        var separator = format.Separator.Length > 0 ? GrammarPart.Literal(format.Separator) : null;
        return GrammarPart.Sequence(
            Marked(tokenizer, format.SectionStart),
            GrammarPart.Repeat(call, 1, turn.ParallelCalls && turn.ToolName is null ? MostParallelCalls : 1, separator),
            Marked(tokenizer, format.SectionEnd));

        GrammarPart Call(ChatTool tool) => GrammarPart.Sequence(
            Marked(tokenizer, format.CallStart),
            GrammarPart.Literal(tool.Name),
            Marked(tokenizer, format.ArgumentsStart),
            tool.Parameters is { } schema ? GrammarPart.JsonSchema(schema) : GrammarPart.Literal("{}"),
            Marked(tokenizer, format.CallEnd));
    }

    // Text in which control tokens are spelled out: the tokens themselves, and literals between them.
    private static GrammarPart Marked(Tokenizer tokenizer, string text)
    {
        var parts = new List<GrammarPart>();
        int start = 0;
        while (start < text.Length)
        {
            int open = text.IndexOf("<｜", start, StringComparison.Ordinal), close = open < 0 ? -1 : text.IndexOf("｜>", open, StringComparison.Ordinal);
            string? token = close < 0 ? null : text[open..(close + 2)];
            if (token is null || tokenizer.IdOf(token) is not { } id)
            {
                parts.Add(GrammarPart.Literal(text[start..]));
                break;
            }

            if (open > start) parts.Add(GrammarPart.Literal(text[start..open]));
            parts.Add(GrammarPart.Token(id));
            start = close + 2;
        }

        return GrammarPart.Sequence(parts);
    }
}
