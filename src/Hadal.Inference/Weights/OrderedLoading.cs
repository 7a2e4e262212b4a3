using System.Runtime.ExceptionServices;

namespace Hadal.Inference.Weights;

/// <summary>Loads parts in order, on the calling thread or in the background; who needs a part waits for it.</summary>
/// <param name="parts">How many.</param>
/// <param name="load">Loads one.</param>
/// <param name="stop">Ends the loading before the next part; <paramref name="load"/> may look at it too.</param>
internal sealed class OrderedLoading(int parts, Action<int> load, CancellationToken stop)
{
    private readonly object _gate = new();
    private Thread? _thread;
    private ExceptionDispatchInfo? _failure;
    private volatile int _loaded;

    /// <summary>Loads everything now.</summary>
    public void Run()
    {
        for (; _loaded < parts; _loaded++) load(_loaded);
    }

    /// <summary>Loads everything in the background.</summary>
    public void Start()
    {
        _thread = new Thread(Serve) { IsBackground = true, Name = "hadal loading" };
        _thread.Start();
    }

    /// <summary>Whether a part is there.</summary>
    public bool IsLoaded(int part) => part < _loaded;

    /// <summary>Waits for a part.</summary>
    /// <exception cref="Exception">What went wrong while it or one before was loaded.</exception>
    /// <exception cref="OperationCanceledException">The wait or the loading was stopped.</exception>
    public void Require(int part, CancellationToken cancellation)
    {
        if (IsLoaded(part)) return;
        using var wakeup = cancellation.UnsafeRegister(static loading => ((OrderedLoading)loading!).Wake(), this);
        lock (_gate)
        {
            while (!IsLoaded(part))
            {
                _failure?.Throw();
                cancellation.ThrowIfCancellationRequested();
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Waits until the background has ended, however it did.</summary>
    public void Wait() => _thread?.Join();

    private void Wake()
    {
        lock (_gate) Monitor.PulseAll(_gate);
    }

    private void Serve()
    {
        try
        {
            while (_loaded < parts)
            {
                stop.ThrowIfCancellationRequested();
                load(_loaded);
                lock (_gate)
                {
                    _loaded++;
                    Monitor.PulseAll(_gate);
                }
            }
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _failure = ExceptionDispatchInfo.Capture(e);
                Monitor.PulseAll(_gate);
            }
        }
    }
}
