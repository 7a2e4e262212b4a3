using Hadal.Inference.Batching;
using Hadal.Model.Chat;
using Hadal.Model.Tokenization;

namespace Hadal.Serving.Answering;

/// <summary>From a turn to what the engine takes.</summary>
internal static class ChatPrompting
{
    /// <param name="Request">For the engine.</param>
    /// <param name="CreateParser">Makes what takes one answer apart.</param>
    public sealed record Prepared(EngineRequest Request, Func<AnswerParser> CreateParser);

    /// <summary>Does what all answers to a turn have in common.</summary>
    /// <exception cref="RequestException">The conversation or the shape of the answer is not possible.</exception>
    public static Prepared Prepare(ServedModel model, ChatTurn turn)
    {
        if (model.Template is not { } template)
        {
            throw new RequestException(
                $"The model {model.Name} has no chat template that is known, so it can complete text (/v1/completions) but not chat; "
                + $"start the server with --template ({string.Join(", ", ChatTemplate.Names)}) to choose one.",
                "model",
                "no_chat_template");
        }

        var conversation = turn.ToolChoice == ToolChoice.None ? turn.Conversation with { Tools = [] } : turn.Conversation;
        try
        {
            int[] prompt = template.Encode(model.Tokenizer, conversation);
            var options = new AnswerParserOptions { ToolCalls = conversation.Tools.Count > 0, Tokenizer = model.Tokenizer };
            var grammar = AnswerGrammar.Of(model, template, turn, template.CreateParser(conversation, options).StartsInReasoning);
            return new Prepared(
                turn.Generation with { PromptTokens = prompt, SkipSpecialTokens = false, Grammar = grammar }, () => template.CreateParser(conversation, options));
        }
        catch (TokenizerException e)
        {
            throw new RequestException(e.Message, "messages");
        }
    }
}
