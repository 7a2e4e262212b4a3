using System.Diagnostics;
using System.Text;
using Hadal.Inference.Batching;
using Hadal.Inference.Generation;
using Hadal.Model.Chat;
using Hadal.Serving.Answering;
using Hadal.Serving.Monitoring;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.OpenAI;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal static class ChatEndpoint
{
    // How often a stream that counts experts says how far it is.
    private static readonly TimeSpan _progressInterval = TimeSpan.FromMilliseconds(500);

    public static async Task HandleAsync(HttpContext http, RequestScope scope)
    {
        var request = await scope.ReadAsync(http, WireJson.Default.ChatCompletionRequest).ConfigureAwait(false);
        var model = scope.Model(request.Model);
        var turn = RequestReading.Chat(request, model, scope.Limits);
        turn = turn with { Generation = scope.Sign(turn.Generation) };
        int choices = RequestReading.Choices(request, scope.Limits);
        using var observation = scope.Observe("chat", model, request);
        var answers = new List<ChatAnswer>();
        try
        {
            var prompt = ChatPrompting.Prepare(model, turn);
            for (int i = 0; i < choices; i++) answers.Add(ChatAnswer.Begin(model, prompt, i));
            var head = new Head(Replies.NewId("chatcmpl-"), DateTimeOffset.UtcNow.ToUnixTimeSeconds(), model.Name);
            if (request.Stream == true) await StreamAsync(http, scope, answers, model, head, request.StreamOptions?.IncludeUsage == true, observation).ConfigureAwait(false);
            else await WholeAsync(http, scope, answers, model, head, observation).ConfigureAwait(false);
        }
        finally
        {
            foreach (var answer in answers) await answer.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task WholeAsync(HttpContext http, RequestScope scope, List<ChatAnswer> answers, ServedModel model, Head head, RequestObservation observation)
    {
        var gathered = await Task.WhenAll(answers.Select(a => GatherAsync(a, observation, scope.Cancellation))).ConfigureAwait(false);
        var choices = gathered.Select((g, i) => new ChatChoice(i, g.Message(), Replies.FinishReason(g.Result!, answers[i].CallsTools))
        {
            Logprobs = Replies.Logprobs(g.Scores, model.Tokenizer),
            StopReason = g.Result!.StopString,
        }).ToList();
        var results = gathered.Select(g => g.Result!).ToList();
        var usage = Usage(results, answers);
        observation.End(results, usage.PromptTokens, choices.Select(c => c.FinishReason!));
        await scope.WriteAsync(http, new ChatCompletion(head.Id, head.Created, head.Model, choices, usage), WireJson.Default.ChatCompletion).ConfigureAwait(false);
    }

    private static async Task<Gathered> GatherAsync(ChatAnswer answer, RequestObservation observation, CancellationToken cancellation)
    {
        var gathered = new Gathered();
        await foreach (var update in answer.ReadAsync(cancellation).ConfigureAwait(false))
        {
            observation.Token();
            gathered.Add(update);
        }

        return gathered;
    }

    private static async Task StreamAsync(
        HttpContext http, RequestScope scope, List<ChatAnswer> answers, ServedModel model, Head head, bool usage, RequestObservation observation)
    {
        var stream = scope.BeginStream(http);
        await stream.BeginAsync(scope.Cancellation).ConfigureAwait(false);
        var updates = Merging.Read([.. answers.Select(a => a.ReadAsync(scope.Cancellation))], scope.Cancellation);
        var counts = new Gathered[answers.Count];
        for (int i = 0; i < answers.Count; i++)
        {
            counts[i] = new Gathered();
            Write(new ChunkChoice(i, new Delta { Role = "assistant", Content = "" }));
        }

        var lastProgress = Stopwatch.GetTimestamp();
        while (await Merging.WaitAsync(updates, scope.Limits.KeepAlive, () => stream.KeepAliveAsync(scope.Cancellation), scope.Cancellation).ConfigureAwait(false))
        {
            while (updates.TryRead(out var item))
            {
                var (choice, update) = item;
                observation.Token();
                counts[choice].Count(update);
                var logprobs = Replies.Logprobs(update.Scores, model.Tokenizer);
                foreach (var e in update.Events.Where(e => e.Kind != AnswerEventKind.ToolCallEnded))
                {
                    Write(new ChunkChoice(choice, Of(e)) { Logprobs = logprobs });
                    logprobs = null;
                }

                if (logprobs is { Content.Count: > 0 }) Write(new ChunkChoice(choice, new Delta { Content = "" }) { Logprobs = logprobs });
                if (update.Result is { } result) Write(new ChunkChoice(choice, new Delta()) { FinishReason = Replies.FinishReason(result, answers[choice].CallsTools) });
            }

            if (answers[0].ExpertCounts is { } experts && Stopwatch.GetElapsedTime(lastProgress) >= _progressInterval)
            {
                lastProgress = Stopwatch.GetTimestamp();
                var progress = new AnswerProgress(counts.Sum(c => c.Tokens), experts);
                stream.Write(new ChatChunk(head.Id, head.Created, head.Model, []) { Progress = progress }, WireJson.Default.ChatChunk);
            }

            await stream.FlushAsync(scope.Cancellation).ConfigureAwait(false);
        }

        var results = counts.Select(c => c.Result!).ToList();
        var whole = Usage(results, answers);
        observation.End(results, whole.PromptTokens, counts.Select((c, i) => Replies.FinishReason(c.Result!, answers[i].CallsTools)));
        if (usage) stream.Write(new ChatChunk(head.Id, head.Created, head.Model, []) { Usage = whole }, WireJson.Default.ChatChunk);
        await stream.EndAsync(scope.Cancellation).ConfigureAwait(false);

        void Write(ChunkChoice choice) => stream.Write(new ChatChunk(head.Id, head.Created, head.Model, [choice]), WireJson.Default.ChatChunk);

        static Delta Of(AnswerEvent e) => e.Kind switch
        {
            AnswerEventKind.ReasoningDelta => new Delta { ReasoningContent = e.Text },
            AnswerEventKind.ContentDelta => new Delta { Content = e.Text },
            AnswerEventKind.ToolCallStarted => new Delta
            {
                ToolCalls = [new ToolCallPart { Index = e.CallIndex, Id = Replies.NewId("call_"), Type = "function", Function = new FunctionPart { Name = e.Text, Arguments = "" } }],
            },
            AnswerEventKind.ToolCallArgumentsDelta => new Delta { ToolCalls = [new ToolCallPart { Index = e.CallIndex, Function = new FunctionPart { Arguments = e.Text } }] },
            _ => new Delta(),
        };
    }

    private static Usage Usage(List<GenerationResult> results, List<ChatAnswer> answers) =>
        Replies.Usage(results, answers.Count, answers.Sum(a => a.ReasoningTokens), answers[0].ExpertCounts);

    private sealed record Head(string Id, long Created, string Model);

    // An answer put together.
    private sealed class Gathered
    {
        private readonly StringBuilder _content = new();
        private readonly StringBuilder _reasoning = new();
        private readonly List<(string Name, StringBuilder Arguments)> _calls = [];

        public List<TokenScore>? Scores { get; private set; }

        public GenerationResult? Result { get; private set; }

        public int Tokens { get; private set; }

        public void Count(ChatUpdate update)
        {
            Tokens += update.Tokens;
            Result = update.Result ?? Result;
        }

        public void Add(ChatUpdate update)
        {
            Count(update);
            if (update.Scores is { } scores) (Scores ??= []).AddRange(scores);
            foreach (var e in update.Events)
            {
                switch (e.Kind)
                {
                    case AnswerEventKind.ReasoningDelta:
                        _reasoning.Append(e.Text);
                        break;
                    case AnswerEventKind.ContentDelta:
                        _content.Append(e.Text);
                        break;
                    case AnswerEventKind.ToolCallStarted:
                        _calls.Add((e.Text, new StringBuilder()));
                        break;
                    case AnswerEventKind.ToolCallArgumentsDelta:
                        _calls[e.CallIndex].Arguments.Append(e.Text);
                        break;
                    default:
                        break;
                }
            }
        }

        public AssistantMessage Message() => new()
        {
            Content = _content.Length > 0 || _calls.Count == 0 ? _content.ToString() : null,
            ReasoningContent = _reasoning.Length > 0 ? _reasoning.ToString() : null,
            ToolCalls = _calls.Count == 0
                ? null
                : [.. _calls.Select(c => new ToolCallPart { Id = Replies.NewId("call_"), Type = "function", Function = new FunctionPart { Name = c.Name, Arguments = c.Arguments.ToString() } })],
        };
    }
}
