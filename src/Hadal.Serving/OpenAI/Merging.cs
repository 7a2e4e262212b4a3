using System.Threading.Channels;

namespace Hadal.Serving.OpenAI;

/// <summary>Several answers to one request, read as one.</summary>
internal static class Merging
{
    /// <summary>Reads all at once.</summary>
    /// <param name="sources">What to read; each until its end.</param>
    /// <param name="cancellation">Ends all.</param>
    /// <returns>The items with the number of their source; the first error ends it.</returns>
    public static ChannelReader<(int Source, T Item)> Read<T>(IReadOnlyList<IAsyncEnumerable<T>> sources, CancellationToken cancellation)
    {
        var items = Channel.CreateUnbounded<(int, T)>(new UnboundedChannelOptions { SingleReader = true });
        _ = CompleteAsync();
        return items.Reader;

        async Task CompleteAsync()
        {
            try
            {
                await Task.WhenAll(sources.Select(PumpAsync)).ConfigureAwait(false);
                items.Writer.Complete();
            }
            catch (Exception e)
            {
                items.Writer.Complete(e);
            }
        }

        async Task PumpAsync(IAsyncEnumerable<T> source, int number)
        {
            try
            {
                await foreach (var item in source.WithCancellation(cancellation).ConfigureAwait(false)) items.Writer.TryWrite((number, item));
            }
            catch (Exception e)
            {
                // The reader hears of it now, not when the other answers have ended.
                items.Writer.TryComplete(e);
                throw;
            }
        }
    }

    /// <summary>Waits for more, and does something whenever that takes long.</summary>
    /// <returns>Whether there is more.</returns>
    public static async Task<bool> WaitAsync<T>(ChannelReader<T> items, TimeSpan patience, Func<Task> meanwhile, CancellationToken cancellation)
    {
        var more = items.WaitToReadAsync(cancellation).AsTask();
        while (!more.IsCompleted)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (await Task.WhenAny(more, Task.Delay(patience, over.Token)).ConfigureAwait(false) != more) await meanwhile().ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
        }

        return await more.ConfigureAwait(false);
    }
}
