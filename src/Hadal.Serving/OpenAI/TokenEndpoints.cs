using Hadal.Model.Chat;
using Hadal.Serving.Answering;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.OpenAI;

/// <summary><c>GET /v1/models</c>, <c>GET /v1/models/NAME</c>, <c>POST /tokenize</c> and <c>POST /detokenize</c>.</summary>
internal static class TokenEndpoints
{
    public static Task ModelsAsync(HttpContext http, RequestScope scope)
    {
        var model = scope.Model(null);
        return scope.WriteAsync(http, new ModelList([new ModelCard(model.Name, model.Since.ToUnixTimeSeconds(), model.Engine.ContextTokens)]), WireJson.Default.ModelList);
    }

    public static Task ModelAsync(HttpContext http, RequestScope scope)
    {
        var model = scope.Model(http.Request.RouteValues["name"] as string);
        return scope.WriteAsync(http, new ModelCard(model.Name, model.Since.ToUnixTimeSeconds(), model.Engine.ContextTokens), WireJson.Default.ModelCard);
    }

    public static async Task TokenizeAsync(HttpContext http, RequestScope scope)
    {
        var request = await scope.ReadAsync(http, WireJson.Default.TokenizeRequest).ConfigureAwait(false);
        var model = scope.Model(null);
        int[] tokens;
        if (request.Messages is { } messages)
        {
            if (model.Template is not { } template) throw new RequestException($"The model {model.Name} has no chat template that is known.", "messages", "no_chat_template");
            tokens = template.Encode(model.Tokenizer, new ChatConversation([.. messages.Select(RequestReading.Message)]));
        }
        else
        {
            if (request.Prompt is not { } prompt) throw new RequestException("prompt is missing; it is the text to be cut into tokens (or messages, a conversation).", "prompt");
            tokens = model.Tokenizer.Encode(prompt, TextInputs.Plain);
            if ((request.AddSpecialTokens ?? model.Tokenizer.Settings.AddBosToken) && model.Tokenizer.BosId is { } begin) tokens = [begin, .. tokens];
        }

        await scope.WriteAsync(http, new TokenizeResponse(tokens, tokens.Length, model.Engine.ContextTokens), WireJson.Default.TokenizeResponse).ConfigureAwait(false);
    }

    public static async Task DetokenizeAsync(HttpContext http, RequestScope scope)
    {
        var request = await scope.ReadAsync(http, WireJson.Default.DetokenizeRequest).ConfigureAwait(false);
        var model = scope.Model(null);
        if (request.Tokens is not { } tokens) throw new RequestException("tokens is missing; it is a list of token ids.", "tokens");
        int unknown = tokens.FindIndex(t => !model.Tokenizer.HasToken(t));
        if (unknown >= 0) throw new RequestException($"tokens[{unknown}] is {tokens[unknown]}, which is no token of the model.", $"tokens[{unknown}]");
        await scope.WriteAsync(http, new DetokenizeResponse(model.Tokenizer.Decode([.. tokens])), WireJson.Default.DetokenizeResponse).ConfigureAwait(false);
    }
}
