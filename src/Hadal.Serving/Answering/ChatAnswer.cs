using System.Runtime.CompilerServices;
using Hadal.Inference.Batching;
using Hadal.Inference.Generation;
using Hadal.Model.Chat;

namespace Hadal.Serving.Answering;

/// <summary>A piece of an answer.</summary>
/// <param name="Events">What is new in it.</param>
/// <param name="Tokens">How many tokens it is.</param>
/// <param name="Scores">How probable its tokens were; null unless asked for.</param>
/// <param name="Result">The result, in the last piece only.</param>
internal sealed record ChatUpdate(IReadOnlyList<AnswerEvent> Events, int Tokens, IReadOnlyList<TokenScore>? Scores, GenerationResult? Result);

/// <summary>One answer while it is generated.</summary>
internal sealed class ChatAnswer(EngineText text, AnswerParser parser) : IAsyncDisposable
{
    private bool _thinks = parser.StartsInReasoning;

    /// <summary>How often each expert was chosen; null unless asked for.</summary>
    public IReadOnlyList<int>? ExpertCounts => text.ExpertCounts;

    /// <summary>Whether a tool was called so far.</summary>
    public bool CallsTools { get; private set; }

    /// <summary>Tokens of thoughts so far, the one that ends them included.</summary>
    public int ReasoningTokens { get; private set; }

    /// <summary>Begins to answer.</summary>
    /// <param name="model">Who answers.</param>
    /// <param name="prompt">What.</param>
    /// <param name="number">Which answer to the turn it is, from 0 on.</param>
    public static ChatAnswer Begin(ServedModel model, ChatPrompting.Prepared prompt, int number = 0) =>
        new(model.Engine.Submit(AnswerSeed.Of(prompt.Request, number)), prompt.CreateParser());

    /// <summary>Hands out the answer as it comes.</summary>
    public async IAsyncEnumerable<ChatUpdate> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var update in text.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            IReadOnlyList<AnswerEvent> events = parser.Push(update.Text, update.Tokens);
            if (update.Result is not null) events = [.. events, .. parser.Finish()];

            // A token that is no whole character yet gives no event: it belongs to what was going on.
            if (events.Count > 0 ? events[0].Kind == AnswerEventKind.ReasoningDelta : _thinks) ReasoningTokens += update.Tokens.Count;
            if (events.Count > 0) _thinks = events[^1].Kind == AnswerEventKind.ReasoningDelta;
            CallsTools |= events.Any(e => e.Kind == AnswerEventKind.ToolCallStarted);
            yield return new ChatUpdate(events, update.Tokens.Count, update.Scores, update.Result);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => text.DisposeAsync();
}
