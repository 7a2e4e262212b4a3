namespace Hadal.Data.Pipeline.Work;

/// <summary>Does the tasks of one stage after another, several at a time, and skips those that were done before.</summary>
/// <param name="folder">Where results are.</param>
/// <param name="share">Which tasks are this process's own, where several share the work.</param>
/// <param name="workers">Tasks at a time.</param>
/// <param name="progress">Told after each task; may be null.</param>
internal sealed class StageRunner(WorkFolder folder, WorkShare share, int workers, IProgress<BuildProgress>? progress)
{
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether the whole build is done: then there is nothing to wait for.</summary>
    public required Func<bool> IsOver { get; init; }

    /// <summary>Returns when another process has ended the build.</summary>
    public void WaitUntilOver(CancellationToken cancellation)
    {
        while (!IsOver()) Pause(cancellation);
    }

    /// <summary>Returns when all tasks of the stage are done, those of other processes too.</summary>
    public void Run(string stage, IReadOnlyList<WorkTask> tasks, CancellationToken cancellation)
    {
        long total = tasks.Sum(t => t.Weight), done = 0, before = 0;
        var own = new List<int>();
        for (int i = 0; i < tasks.Count; i++)
        {
            if (folder.IsDone(stage, i)) before += tasks[i].Weight;
            else if (share.Owns(i)) own.Add(i);
        }

        done = before;
        progress?.Report(new BuildProgress(stage, done, total, before));
        var options = new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellation };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            // One task at a time from the list, in its order: the default would give each worker a range.
            Parallel.ForEach(System.Collections.Concurrent.Partitioner.Create(own, System.Collections.Concurrent.EnumerablePartitionerOptions.NoBuffering), options, i =>
            {
                try
                {
                    folder.Do(stage, i, tasks[i], stop.Token);
                }
                catch
                {
                    stop.Cancel();
                    throw;
                }

                progress?.Report(new BuildProgress(stage, Interlocked.Add(ref done, tasks[i].Weight), total, before));
            });
        }
        catch (AggregateException e)
        {
            // The first true cause, not the tasks that stopped because of it.
            var cause = e.Flatten().InnerExceptions.FirstOrDefault(x => x is not OperationCanceledException) ?? e.InnerExceptions[0];
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
        }

        WaitForOthers(stage, tasks, total, before, cancellation);
    }

    private void WaitForOthers(string stage, IReadOnlyList<WorkTask> tasks, long total, long before, CancellationToken cancellation)
    {
        while (true)
        {
            long done = 0;
            bool all = true;
            for (int i = 0; i < tasks.Count; i++)
            {
                if (folder.IsDone(stage, i)) done += tasks[i].Weight;
                else all = false;
            }

            if (all || IsOver()) return;
            progress?.Report(new BuildProgress(stage, done, total, before) { IsWaiting = true });
            Pause(cancellation);
        }
    }

    private static void Pause(CancellationToken cancellation)
    {
        cancellation.WaitHandle.WaitOne(_look);
        cancellation.ThrowIfCancellationRequested();
    }
}
