using System.Text.Json;
using Hadal.Inference.Batching;
using Hadal.Inference.Generation;
using Hadal.Model.Tokenization;
using Hadal.Serving.Answering;
using Hadal.Serving.Monitoring;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.OpenAI;

/// <summary><c>POST /v1/completions</c>: text that goes on, or, with a suffix, text that fills a gap.</summary>
internal static class CompletionEndpoint
{
    private const int UsualTokens = 16;

    public static async Task HandleAsync(HttpContext http, RequestScope scope)
    {
        var request = await scope.ReadAsync(http, WireJson.Default.CompletionRequest).ConfigureAwait(false);
        var model = scope.Model(request.Model);
        var prompts = Prompts(request, model, scope.Limits);
        int choices = RequestReading.Choices(request, scope.Limits);
        var generation = scope.Sign(RequestReading.Generation(request, model, request.MaxTokens ?? UsualTokens, "max_tokens", request.Logprobs, "logprobs"));
        using var observation = scope.Observe("text_completion", model, request);
        var texts = new List<EngineText>();
        try
        {
            foreach (var prompt in prompts)
            {
                for (int i = 0; i < choices; i++) texts.Add(model.Engine.Submit(AnswerSeed.Of(generation with { PromptTokens = prompt.Tokens }, i)));
            }

            var leads = texts.Select((_, i) => request.Echo == true ? prompts[i / choices].Text : "").ToList();
            string id = Replies.NewId("cmpl-");
            if (request.Stream == true) await StreamAsync(http, scope, texts, choices, leads, model, id, request.StreamOptions?.IncludeUsage == true, observation).ConfigureAwait(false);
            else await WholeAsync(http, scope, texts, choices, leads, model, id, observation).ConfigureAwait(false);
        }
        finally
        {
            foreach (var text in texts) await text.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task WholeAsync(
        HttpContext http, RequestScope scope, List<EngineText> texts, int choices, List<string> leads, ServedModel model, string id, RequestObservation observation)
    {
        var results = new GenerationResult[texts.Count];
        var scores = new List<TokenScore>?[texts.Count];
        await Task.WhenAll(texts.Select(async (text, i) =>
        {
            await foreach (var update in text.ReadAllAsync(scope.Cancellation).ConfigureAwait(false))
            {
                observation.Token();
                if (update.Scores is { } more) (scores[i] ??= []).AddRange(more);
                results[i] = update.Result ?? results[i];
            }
        })).ConfigureAwait(false);
        var usage = Replies.Usage(results, choices);
        observation.End(results, usage.PromptTokens, results.Select(r => Replies.FinishReason(r, false)));
        var items = results.Select((r, i) => new CompletionChoice(i, leads[i] + r.Text)
        {
            FinishReason = Replies.FinishReason(r, false),
            Logprobs = scores[i] is { } s ? Replies.CompletionLogprobs(s, model.Tokenizer, leads[i].Length) : null,
        }).ToList();
        var answer = new Completion(id, Now(), model.Name, items) { Usage = usage };
        await scope.WriteAsync(http, answer, WireJson.Default.Completion).ConfigureAwait(false);
    }

    private static async Task StreamAsync(
        HttpContext http, RequestScope scope, List<EngineText> texts, int choices, List<string> leads, ServedModel model, string id, bool usage, RequestObservation observation)
    {
        var stream = scope.BeginStream(http);
        await stream.BeginAsync(scope.Cancellation).ConfigureAwait(false);
        long now = Now();
        var results = new GenerationResult[texts.Count];
        int[] offsets = [.. leads.Select(l => l.Length)];
        for (int i = 0; i < leads.Count; i++)
        {
            if (leads[i].Length > 0) Write(new CompletionChoice(i, leads[i]));
        }

        var updates = Merging.Read([.. texts.Select(t => t.ReadAllAsync(scope.Cancellation))], scope.Cancellation);
        while (await Merging.WaitAsync(updates, scope.Limits.KeepAlive, () => stream.KeepAliveAsync(scope.Cancellation), scope.Cancellation).ConfigureAwait(false))
        {
            while (updates.TryRead(out var item))
            {
                var (i, update) = item;
                observation.Token();
                results[i] = update.Result ?? results[i];
                if (update.Text.Length == 0 && update.Scores is not { Count: > 0 } && update.Result is null) continue;
                Write(new CompletionChoice(i, update.Text)
                {
                    FinishReason = update.Result is { } result ? Replies.FinishReason(result, false) : null,
                    Logprobs = update.Scores is { } scores ? Replies.CompletionLogprobs(scores, model.Tokenizer, offsets[i]) : null,
                });
                offsets[i] += update.Text.Length;
            }

            await stream.FlushAsync(scope.Cancellation).ConfigureAwait(false);
        }

        var whole = Replies.Usage(results, choices);
        observation.End(results, whole.PromptTokens, results.Select(r => Replies.FinishReason(r, false)));
        if (usage) stream.Write(new Completion(id, now, model.Name, []) { Usage = whole }, WireJson.Default.Completion);
        await stream.EndAsync(scope.Cancellation).ConfigureAwait(false);

        void Write(CompletionChoice choice) => stream.Write(new Completion(id, now, model.Name, [choice]), WireJson.Default.Completion);
    }

    private static long Now() => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private static List<(int[] Tokens, string Text)> Prompts(CompletionRequest request, ServedModel model, ServingLimits limits) =>
        [.. TextInputs.Of(request.Prompt, "prompt", "the text to continue", limits.MostChoices).Select(item => Prompt(item, request.Suffix, model))];

    private static (int[] Tokens, string Text) Prompt(JsonElement item, string? suffix, ServedModel model)
    {
        var tokenizer = model.Tokenizer;
        if (TextInputs.IsTokens(item))
        {
            if (suffix is not null) throw new RequestException("suffix goes with a text as prompt, not with tokens.", "suffix");
            int[] tokens = TextInputs.Tokens(item, "prompt", tokenizer);
            return (tokens, tokenizer.Decode(tokens, skipSpecialTokens: true));
        }

        if (item.ValueKind != JsonValueKind.String) throw new RequestException("prompt has to be a text, a list of texts, or a list of tokens.", "prompt");
        string text = item.GetString()!;
        if (suffix is not null) return (FillInTheMiddle(text, suffix, tokenizer), text);
        int[] ids = TextInputs.Encode(text, tokenizer);
        return ids.Length > 0 ? (ids, text) : throw new RequestException("prompt is empty, and the model has no token that begins a text.", "prompt");
    }

    // <｜fim▁begin｜> prefix <｜fim▁hole｜> suffix <｜fim▁end｜> (specification of the tokenizer, section 8).
    private static int[] FillInTheMiddle(string prefix, string suffix, Tokenizer tokenizer)
    {
        if (tokenizer.IdOf(DeepSeekTokens.FimBegin) is not { } begin || tokenizer.IdOf(DeepSeekTokens.FimHole) is not { } hole || tokenizer.IdOf(DeepSeekTokens.FimEnd) is not { } end)
            throw new RequestException("The model's tokenizer has no tokens for filling in the middle, so suffix cannot be used.", "suffix", "no_fill_in_the_middle");
        int[] tokens = [begin, .. tokenizer.Encode(prefix, TextInputs.Plain), hole, .. tokenizer.Encode(suffix, TextInputs.Plain), end];
        return tokenizer.BosId is { } bos ? [bos, .. tokens] : tokens;
    }
}
