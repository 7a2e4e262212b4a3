namespace Hadal.Inference.Batching;

/// <content>Vectors of texts: prompts of which only the hidden states are wanted, computed in pieces beside the texts that are generated.</content>
/// <remarks>
/// Such a text takes nothing from the prefix index, since the hidden states of reused pages are gone, and gives it nothing, since it has no rows of the MTP
/// module.
/// </remarks>
public sealed partial class InferenceEngine
{
    private readonly float[] _hidden;

    /// <summary>Computes the vector of a text: pooled hidden states, of length 1. The same text has the same vector whatever else is computed.</summary>
    /// <param name="request">The text, and how.</param>
    /// <param name="cancellation">Gives the text up, and frees its pages.</param>
    /// <returns>The vector.</returns>
    /// <exception cref="GenerationException">The text is empty, longer than the context or has unknown tokens, or the model computes numbers that are not finite
    /// (<see cref="GenerationFault.Computation"/>).</exception>
    /// <exception cref="EngineBusyException">Too many requests wait, or the engine is stopping.</exception>
    /// <exception cref="OperationCanceledException">The text was given up.</exception>
    public async Task<EmbeddingResult> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        int length = request.Tokens.Count;
        if (length == 0) throw new GenerationException("The text has no tokens, so it has no vector.");
        if (length > ContextTokens)
        {
            throw new GenerationException(
                $"The text has {length} tokens, but the context has room for {ContextTokens}; shorten the text.", GenerationFault.ContextLength);
        }

        CheckTokens(request.Tokens, "text");
        var pool = new HiddenPool(request.Pooling, _model.Config.HiddenSize);
        var prompt = new EngineRequest { PromptTokens = request.Tokens, Priority = request.Priority, Client = request.Client };
        var entry = Enqueue(prompt, 0, pool);
        using (cancellation.Register(entry.Stream.Cancel))
        {
            // There is no text to read, but an end, or an error; the pages are free by then.
            await foreach (var unused in entry.Stream.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
            }
        }

        return pool.Vector is { } vector ? new EmbeddingResult(vector, entry.WaitSeconds) : throw new OperationCanceledException(cancellation);
    }

    // Takes the hidden states of the step's rows.
    private void Pool(RunningSequence r)
    {
        if (r.Pool is not { } pool) return;
        ref readonly var item = ref _batch.Items[r.Item];
        for (int row = 0; row < item.Count; row++)
        {
            _model.Backend.Read(_runner.Hidden.RowRange(item.Row + row, 1), _hidden);
            pool.Add(_hidden);
        }

        if (r.Missing > 0) return;
        try
        {
            pool.Finish();
        }
        catch (GenerationException e)
        {
            r.Error = e;
        }
    }
}
