using System.Diagnostics;

namespace Hadal.Parallel.Communication.InProcess;

/// <summary>One operation of one rank: complete when all movements that it consists of have ended.</summary>
internal sealed class InProcessTransfer : ITransfer
{
    private readonly CommunicationCounters _counters;
    private int _movements = 1;
    private WorldFailure? _failure;
    private volatile bool _ended;

    /// <param name="counters">Gets the time of waits.</param>
    public InProcessTransfer(CommunicationCounters counters) => _counters = counters;

    public bool IsComplete => _ended;

    public void Wait()
    {
        if (!_ended)
        {
            long start = Stopwatch.GetTimestamp();
            try
            {
                lock (this)
                {
                    while (!_ended) Monitor.Wait(this);
                }
            }
            finally
            {
                _counters.AddWaitSince(start);
            }
        }

        if (_failure is not null) throw _failure.ToException();
    }

    /// <summary>One more movement. The transfer starts with one, which ends by <see cref="End"/> when all are begun.</summary>
    public void Begin() => Interlocked.Increment(ref _movements);

    /// <summary>A movement has ended.</summary>
    /// <param name="failure">Why, if it could not be made.</param>
    public void End(WorldFailure? failure = null)
    {
        if (failure is not null) Interlocked.CompareExchange(ref _failure, failure, null);
        if (Interlocked.Decrement(ref _movements) > 0) return;
        lock (this)
        {
            _ended = true;
            Monitor.PulseAll(this);
        }
    }
}
