using Hadal.Model.Checkpoints;

namespace Hadal.Training.Checkpoints;

/// <summary>Writes beside the training, one thing at a time.</summary>
internal sealed class BackgroundWriter
{
    private Task? _work;

    /// <summary>Starts to write. What was begun before has to be collected.</summary>
    public void Begin(Action write)
    {
        if (_work is not null) throw new InvalidOperationException("The last work of the writer was not collected.");
        _work = Task.Factory.StartNew(write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Takes the result of what was begun, if there is one.</summary>
    /// <param name="wait">Whether to wait for the end of work that is under way.</param>
    /// <returns>What went wrong with the disk; null if nothing did, or if the work is still under way. Other exceptions pass through.</returns>
    public Exception? Collect(bool wait)
    {
        if (_work is null || (!wait && !_work.IsCompleted)) return null;
        var work = _work;
        try
        {
            work.GetAwaiter().GetResult();
            return null;
        }
        catch (Exception e) when (e is CheckpointException or IOException or UnauthorizedAccessException)
        {
            return e;
        }
        finally
        {
            _work = null;
        }
    }
}
