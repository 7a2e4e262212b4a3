using System.Threading.Channels;
using Hadal.Inference.Generation;

namespace Hadal.Inference.Batching;

/// <summary>A text while it is generated. Updates wait for their reader, however slow; the engine does not.</summary>
public sealed class EngineText : IAsyncDisposable
{
    private readonly Channel<EngineUpdate> _updates = Channel.CreateUnbounded<EngineUpdate>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action _wake;
    private volatile bool _cancelled;

    internal EngineText(Action wake, int[]? expertCounts) => (_wake, ExpertCounts) = (wake, expertCounts);

    /// <summary>How often each expert was chosen, layer after layer; written while the text grows. Null unless asked for.</summary>
    public IReadOnlyList<int>? ExpertCounts { get; }

    /// <summary>Completed when the engine has done with the text and its pages are free.</summary>
    public Task Ended => _ended.Task;

    internal bool IsCancelled => _cancelled;

    /// <summary>Hands out the updates; the last one has the result. Leaving the loop early does not end the text: <see cref="Cancel"/> does.</summary>
    /// <param name="cancellation">Ends the wait for updates.</param>
    /// <returns>The updates, for one reader, once.</returns>
    /// <exception cref="GenerationException">The text cannot go on, for instance because the model computes numbers that are not finite
    /// (<see cref="GenerationFault.Computation"/>).</exception>
    /// <exception cref="EngineBusyException">The engine stopped before the text had ended.</exception>
    public IAsyncEnumerable<EngineUpdate> ReadAllAsync(CancellationToken cancellation = default) => _updates.Reader.ReadAllAsync(cancellation);

    /// <summary>Reads all updates, and waits until the text's pages are free.</summary>
    /// <param name="cancellation">Ends the wait and the text.</param>
    /// <returns>The result.</returns>
    /// <exception cref="GenerationException">As for <see cref="ReadAllAsync"/>.</exception>
    /// <exception cref="EngineBusyException">The engine stopped before the text had ended.</exception>
    public async Task<GenerationResult> CompleteAsync(CancellationToken cancellation = default)
    {
        try
        {
            await foreach (var update in ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                if (update.Result is not { } result) continue;
                await Ended.ConfigureAwait(false);
                return result;
            }
        }
        catch (OperationCanceledException)
        {
            Cancel();
            throw;
        }

        throw new InvalidOperationException("The updates have been read already.");
    }

    /// <summary>Ends the text before the next step, and frees its pages; the last update has what there is, with <see cref="FinishReason.Cancelled"/>.</summary>
    public void Cancel()
    {
        if (_cancelled) return;
        _cancelled = true;
        _wake();
    }

    /// <summary>Ends the text if it has not ended, and waits until its pages are free.</summary>
    /// <returns>When that is so.</returns>
    public async ValueTask DisposeAsync()
    {
        Cancel();
        await Ended.ConfigureAwait(false);
    }

    internal void Write(EngineUpdate update) => _updates.Writer.TryWrite(update);

    internal void Close(Exception? error)
    {
        _updates.Writer.TryComplete(error);
        _ended.TrySetResult();
    }
}
