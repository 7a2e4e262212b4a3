using System.Diagnostics;

namespace Hadal.Parallel.Communication;

/// <summary>One operation of one rank: complete when all movements that it consists of have ended. Who waits sleeps until then.</summary>
internal class PendingTransfer : ITransfer
{
    private readonly CommunicationCounters _counters;
    private readonly object _gate = new();
    private int _movements = 1;
    private TransferFailure? _failure;
    private volatile bool _ended;

    /// <param name="counters">Gets the time of waits.</param>
    public PendingTransfer(CommunicationCounters counters) => _counters = counters;

    public bool IsComplete => _ended;

    public void Wait()
    {
        if (!_ended)
        {
            long start = Stopwatch.GetTimestamp();
            OnWait(true);
            try
            {
                lock (_gate)
                {
                    while (!_ended) Monitor.Wait(_gate);
                }
            }
            finally
            {
                OnWait(false);
                _counters.AddWaitSince(start);
            }
        }

        if (_failure is not null) throw _failure.ToException();
    }

    /// <summary>One more movement. The transfer starts with one, which ends by <see cref="End"/> when all are begun.</summary>
    public void Begin() => Interlocked.Increment(ref _movements);

    /// <summary>A movement has ended.</summary>
    /// <param name="failure">Why, if it could not be made; the first one stays.</param>
    public void End(TransferFailure? failure = null)
    {
        if (failure is not null) Interlocked.CompareExchange(ref _failure, failure, null);
        if (Interlocked.Decrement(ref _movements) > 0) return;
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Hears that a thread begins or ends to wait.</summary>
    protected virtual void OnWait(bool begins)
    {
    }
}
