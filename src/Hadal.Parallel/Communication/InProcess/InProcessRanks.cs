using System.Runtime.ExceptionServices;

namespace Hadal.Parallel.Communication.InProcess;

/// <summary>Runs a body on every rank of a world of threads.</summary>
public static class InProcessRanks
{
    /// <summary>Runs the body once per rank, each on a thread of its own, and returns when all have ended.</summary>
    /// <param name="size">Ranks, at least 1.</param>
    /// <param name="body">Gets the group of all ranks as its own rank sees it; it is disposed behind it.</param>
    /// <param name="cancellation">Ends the waits of all ranks.</param>
    /// <exception cref="OperationCanceledException">It was cancelled before all ranks had ended.</exception>
    /// <exception cref="Exception">What the first rank that failed threw. The waits of the others ended by it.</exception>
    public static void Run(int size, Action<ICollective> body, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        cancellation.ThrowIfCancellationRequested();
        var world = new InProcessWorld(size);
        ExceptionDispatchInfo? first = null;
        using var registration = cancellation.Register(() => world.Abort("The run was cancelled."));
        var threads = new Thread[size];
        for (int r = 0; r < size; r++)
        {
            int rank = r;
            threads[r] = new Thread(() => RunRank(rank)) { IsBackground = true, Name = $"rank {rank}" };
        }

        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (first is null) return;
        cancellation.ThrowIfCancellationRequested();
        first.Throw();

        void RunRank(int rank)
        {
            // The world hears of a failure in the filter, before the body's own "using" and "finally" give memory back that another rank may be reading.
            try
            {
                var group = world[rank];
                body(group);
                group.Dispose();
            }
            catch (Exception e) when (Report(rank, e))
            {
            }
        }

        bool Report(int rank, Exception e)
        {
            Interlocked.CompareExchange(ref first, ExceptionDispatchInfo.Capture(e), null);
            world.Abort(rank, e);
            return true;
        }
    }

    /// <summary>Runs the body once per rank, each on a thread of its own.</summary>
    /// <typeparam name="T">What a rank makes.</typeparam>
    /// <param name="size">Ranks, at least 1.</param>
    /// <param name="body">Gets the group of all ranks as its own rank sees it; it is disposed behind it.</param>
    /// <param name="cancellation">Ends the waits of all ranks.</param>
    /// <returns>What each rank made, in the order of ranks.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled before all ranks had ended.</exception>
    /// <exception cref="Exception">What the first rank that failed threw. The waits of the others ended by it.</exception>
    public static T[] Run<T>(int size, Func<ICollective, T> body, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        var results = new T[Math.Max(size, 0)];
        Run(size, (Action<ICollective>)(group => results[group.Rank] = body(group)), cancellation);
        return results;
    }
}
