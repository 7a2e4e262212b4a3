using Hadal.Inference.Batching;
using Hadal.Model.Chat;
using Hadal.Model.Tokenization;

namespace Hadal.Serving.Answering;

/// <summary>From a turn to what the engine takes.</summary>
internal static class ChatPrompting
{
    /// <param name="Request">For the engine.</param>
    /// <param name="Parser">Takes the answer apart.</param>
    public sealed record Prepared(EngineRequest Request, AnswerParser Parser);

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
            var parser = template.CreateParser(conversation, new AnswerParserOptions { ToolCalls = conversation.Tools.Count > 0, Tokenizer = model.Tokenizer });
            var grammar = AnswerGrammar.Of(model, template, turn, parser.StartsInReasoning);
            return new Prepared(turn.Generation with { PromptTokens = prompt, SkipSpecialTokens = false, Grammar = grammar }, parser);
        }
        catch (TokenizerException e)
        {
            throw new RequestException(e.Message, "messages");
        }
    }
}
