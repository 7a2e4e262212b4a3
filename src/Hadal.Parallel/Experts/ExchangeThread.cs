using System.Collections.Concurrent;

namespace Hadal.Parallel.Experts;

/// <summary>The thread of a rank that moves rows while another computes: jobs run one after the other, in the order in which they were begun, which is the same on all ranks.</summary>
/// <remarks>What the report gives 20 of 132 multiprocessors to (section 3.2.2).</remarks>
internal sealed class ExchangeThread : IDisposable
{
    private readonly BlockingCollection<Job> _jobs = [];
    private readonly Thread _thread;

    public ExchangeThread(string name)
    {
        _thread = new Thread(Work) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Begins a job.</summary>
    public Job Begin(Action work)
    {
        var job = new Job(work);
        _jobs.Add(job);
        return job;
    }

    public void Dispose()
    {
        _jobs.CompleteAdding();
        _thread.Join();
        _jobs.Dispose();
    }

    private void Work()
    {
        foreach (var job in _jobs.GetConsumingEnumerable()) job.Run();
    }

    /// <summary>Something that is done beside the computing.</summary>
    internal sealed class Job(Action work)
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Waits until it is done.</summary>
        /// <exception cref="Exception">What it ended with.</exception>
        public void Wait() => _done.Task.GetAwaiter().GetResult();

        public void Run()
        {
            try
            {
                work();
                _done.SetResult();
            }
            catch (Exception e)
            {
                _done.SetException(e);
            }
        }
    }
}
