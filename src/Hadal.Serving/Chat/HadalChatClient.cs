using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hadal.Inference.Batching;
using Hadal.Inference.Generation;
using Hadal.Model.Chat;
using Hadal.Serving.Answering;
using Hadal.Serving.Hosting;
using Hadal.Serving.Monitoring;
using Hadal.Serving.OpenAI;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace Hadal.Serving.Chat;

/// <summary>
/// A model in this process as an <see cref="IChatClient"/>: the same path as <c>POST /v1/chat/completions</c>, without the network. Thread-safe; parallel
/// requests are answered in one batch.
/// </summary>
/// <remarks>
/// <para>Of <see cref="ChatOptions"/> it heeds Instructions, ModelId, Temperature (0 to 2), TopP, TopK, MaxOutputTokens, Seed, StopSequences, both penalties (-2 to 2), ResponseFormat,
/// Tools (functions), ToolMode, AllowMultipleToolCalls and Reasoning (for models that have a switch); of AdditionalProperties <c>min_p</c>,
/// <c>repetition_penalty</c>, <c>priority</c> (numbers) and <c>thinking</c> (true or false).</para>
/// <para>A request waits until the model is loaded. It ends, and its cache pages are free, when its cancellation token says so or the stream is left.</para>
/// </remarks>
public sealed class HadalChatClient : IChatClient
{
    private readonly ModelSource _source;
    private readonly ServingLimits _limits;
    private readonly ServingMeters? _meters;

    /// <summary>A client of a model.</summary>
    /// <param name="model">The model; it has to outlive the client, which does not dispose it.</param>
    /// <param name="limits">What a single request may ask for; null for the defaults.</param>
    public HadalChatClient(ServedModel model, ServingLimits? limits = null)
        : this(new ModelSource([]), limits ?? new ServingLimits(), null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _source.Set(model);
    }

    internal HadalChatClient(ModelSource source, ServingLimits limits, ServingMeters? meters) => (_source, _limits, _meters) = (source, limits, meters);

    /// <summary>Answers a conversation.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="options">How; null for the model's defaults.</param>
    /// <param name="cancellationToken">Ends the answer.</param>
    /// <returns>The answer, whole.</returns>
    /// <exception cref="ChatRequestException">The conversation or an option is not possible; the message says what would be.</exception>
    /// <exception cref="Inference.GenerationException">The conversation is longer than the context.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait, or the application is stopping.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Answers a conversation piece by piece. A call of a function comes whole; the last update has the usage and why the answer ended.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="options">How; null for the model's defaults.</param>
    /// <param name="cancellationToken">Ends the answer.</param>
    /// <returns>The pieces.</returns>
    /// <exception cref="ChatRequestException">The conversation or an option is not possible; the message says what would be.</exception>
    /// <exception cref="Inference.GenerationException">The conversation is longer than the context.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait, or the application is stopping.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return StreamAsync(messages, options, cancellationToken);
    }

    /// <summary>Offers <see cref="ChatClientMetadata"/>, and of a loaded model <see cref="ServedModel"/> and <see cref="InferenceEngine"/>.</summary>
    /// <param name="serviceType">What is asked for.</param>
    /// <param name="serviceKey">Has to be null.</param>
    /// <returns>The service; null if there is no such one.</returns>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        var model = _source.Loaded.IsCompletedSuccessfully ? _source.Loaded.Result : null;
        if (serviceType == typeof(ChatClientMetadata)) return new ChatClientMetadata("hadal", null, model?.Name);
        return _source.Service(serviceType) ?? (serviceType.IsInstanceOfType(this) ? this : null);
    }

    /// <summary>Does nothing: the model belongs to the application.</summary>
    public void Dispose()
    {
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var model = await _source.Loaded.WaitAsync(cancellation).ConfigureAwait(false);
        var (request, answer) = Begin(model, messages, options);
        await using var owned = answer.ConfigureAwait(false);
        using var observation = _meters?.Observe("chat", model, request, null);
        var calls = new CallGathering();
        bool showsThoughts = options?.Reasoning?.Output != ReasoningOutput.None;
        string id = Replies.NewId("chatcmpl-");
        var created = DateTimeOffset.UtcNow;
        await foreach (var update in answer.ReadAsync(cancellation).ConfigureAwait(false))
        {
            observation?.Token();
            List<AIContent> contents = [.. update.Events.Select(e => Of(e, calls, showsThoughts)).OfType<AIContent>()];
            if (contents.Count > 0) yield return Update(contents);
            if (update.Result is not { } result) continue;
            string reason = Replies.FinishReason(result, answer.CallsTools);
            observation?.End([result], result.PromptTokens, [reason]);
            var last = Update([new UsageContent(Usage(result, answer.ReasoningTokens))]);
            last.FinishReason = new ChatFinishReason(reason);
            yield return last;
        }

        ChatResponseUpdate Update(IList<AIContent> contents) =>
            new(ChatRole.Assistant, contents) { ResponseId = id, MessageId = id, ModelId = model.Name, CreatedAt = created };
    }

    private (ChatCompletionRequest Request, ChatAnswer Answer) Begin(ServedModel model, IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        if (_source.IsStopping) throw new EngineBusyException("The application is stopping and takes no more requests.");
        try
        {
            _ = _source.Named(options?.ModelId);
            var request = ChatOptionsReading.Request(messages, options);
            return (request, ChatAnswer.Begin(model, ChatPrompting.Prepare(model, RequestReading.Chat(request, model, _limits))));
        }
        catch (RequestException e)
        {
            throw new ChatRequestException(e.Message, e.Field, e.Code, e);
        }
    }

    private static AIContent? Of(AnswerEvent e, CallGathering calls, bool showsThoughts)
    {
        switch (e.Kind)
        {
            case AnswerEventKind.ReasoningDelta:
                return showsThoughts ? new TextReasoningContent(e.Text) : null;
            case AnswerEventKind.ContentDelta:
                return new TextContent(e.Text);
            case AnswerEventKind.ToolCallStarted:
                calls.Begin(e.CallIndex, e.Text);
                return null;
            case AnswerEventKind.ToolCallArgumentsDelta:
                calls.Add(e.CallIndex, e.Text);
                return null;
            default:
                return calls.End(e.CallIndex);
        }
    }

    private static UsageDetails Usage(GenerationResult result, int reasoningTokens) => new()
    {
        InputTokenCount = result.PromptTokens,
        OutputTokenCount = result.Tokens.Count,
        TotalTokenCount = result.PromptTokens + result.Tokens.Count,
        CachedInputTokenCount = result.ReusedPromptTokens,
        ReasoningTokenCount = reasoningTokens,
        AdditionalCounts = new() { ["accepted_prediction_tokens"] = result.AcceptedDrafts, ["rejected_prediction_tokens"] = result.ProposedDrafts - result.AcceptedDrafts },
    };

    // Calls come in pieces; who runs them wants them whole.
    private sealed class CallGathering
    {
        private static readonly JsonTypeInfo<IDictionary<string, object?>> _type =
            (JsonTypeInfo<IDictionary<string, object?>>)AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>));

        private readonly Dictionary<int, (string Name, StringBuilder Arguments)> _calls = [];

        public void Begin(int index, string name) => _calls[index] = (name, new StringBuilder());

        public void Add(int index, string arguments) => _calls[index].Arguments.Append(arguments);

        // Arguments that are no JSON (an answer cut off, a free model's mistake) are reported in the content's Exception.
        public FunctionCallContent End(int index)
        {
            var (name, arguments) = _calls[index];
            return FunctionCallContent.CreateFromParsedArguments(arguments.ToString(), Replies.NewId("call_"), name, static json => JsonSerializer.Deserialize(json, _type));
        }
    }
}
