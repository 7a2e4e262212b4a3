using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hadal.Numerics.Threading;

/// <summary>Work that can be cut into independent items.</summary>
/// <remarks>Implemented by unmanaged structs, so that handing work to the team allocates nothing.</remarks>
internal interface ITeamJob
{
    /// <summary>Does one item.</summary>
    /// <param name="item">0 … items - 1; each is done exactly once.</param>
    /// <param name="worker">Which member of the team does it, 0 … threads - 1: for scratch memory only, never for results.</param>
    void Execute(int item, int worker);
}

/// <summary>A fixed group of threads that run the items of a job together; the calling thread is member 0.</summary>
/// <remarks>
/// Items are taken from a shared counter, so a result must depend on the item alone and never on the thread: that is what makes sums the same for any
/// number of threads. Members spin for a moment between jobs (decoding has thousands of short ones a second), then sleep. One job at a time: calls from
/// several threads queue up behind each other.
/// </remarks>
internal sealed unsafe class ThreadTeam : IDisposable
{
    // A member spins about half a millisecond for the next job before it sleeps. The caller spins only a few microseconds for the last item: where more threads
    // want to run than there are processors, the member it waits for may need this very processor.
    private const int IdleSpins = 2000;
    private const int CompletionSpins = 50;
    private readonly Thread[] _members;
    private readonly SemaphoreSlim[] _wakeups;
    private readonly bool[] _asleep;
    private readonly Lock _gate = new();
    private Shared* _shared;
    private Exception? _failure;
    private bool _stopping;

    /// <param name="threads">Members, the caller included; at least 1.</param>
    public ThreadTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _shared = (Shared*)NativeMemory.AlignedAlloc((nuint)sizeof(Shared), 64);
        *_shared = default;
        _members = new Thread[threads - 1];
        _wakeups = new SemaphoreSlim[threads - 1];
        _asleep = new bool[threads - 1];
        for (int i = 0; i < _members.Length; i++)
        {
            int worker = i + 1;
            _wakeups[i] = new SemaphoreSlim(0);
            _members[i] = new Thread(() => Serve(worker)) { IsBackground = true, Name = $"hadal kernel {worker}" };
            _members[i].Start();
        }
    }

    public int Threads { get; }

    /// <summary>Runs all items and returns when the last is done.</summary>
    /// <exception cref="Exception">The first exception that an item threw.</exception>
    public void Run<TJob>(int items, ref TJob job) where TJob : unmanaged, ITeamJob
    {
        if (items <= 0) return;
        if (Threads == 1 || items == 1)
        {
            for (int i = 0; i < items; i++) job.Execute(i, 0);
            return;
        }

        lock (_gate)
        {
            TJob local = job;
            _shared->Job = &local;
            _shared->Invoke = &Invoke<TJob>;
            _shared->Items = items;
            _shared->Next = 0;
            Volatile.Write(ref _shared->Running, _members.Length);
            Interlocked.Increment(ref _shared->Generation);
            for (int i = 0; i < _members.Length; i++)
            {
                if (Volatile.Read(ref _asleep[i])) _wakeups[i].Release();
            }

            Drain(0);
            var spin = 0;
            while (Volatile.Read(ref _shared->Running) != 0)
            {
                if (++spin < CompletionSpins) Thread.SpinWait(8);
                else Thread.Yield();
            }

            if (_failure is { } failure)
            {
                _failure = null;
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    /// <summary>Runs all items, with a team or on the calling thread alone.</summary>
    public static void Run<TJob>(ThreadTeam? team, int items, ref TJob job) where TJob : unmanaged, ITeamJob
    {
        if (team is not null) team.Run(items, ref job);
        else for (int i = 0; i < items; i++) job.Execute(i, 0);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping) return;
            Volatile.Write(ref _stopping, true);
            foreach (var wakeup in _wakeups) wakeup.Release();
        }

        foreach (var member in _members) member.Join();
        foreach (var wakeup in _wakeups) wakeup.Dispose();
        NativeMemory.AlignedFree(_shared);
        _shared = null;
    }

    private static void Invoke<TJob>(void* job, int item, int worker) where TJob : unmanaged, ITeamJob =>
        Unsafe.AsRef<TJob>(job).Execute(item, worker);

    private void Drain(int worker)
    {
        var shared = _shared;
        try
        {
            while (true)
            {
                int item = Interlocked.Increment(ref shared->Next) - 1;
                if (item >= shared->Items) return;
                shared->Invoke(shared->Job, item, worker);
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            Volatile.Write(ref shared->Next, shared->Items);
        }
    }

    private void Serve(int worker)
    {
        int seen = 0;
        while (true)
        {
            WaitForJob(worker, seen);
            if (Volatile.Read(ref _stopping)) return;
            seen = Volatile.Read(ref _shared->Generation);
            Drain(worker);
            Interlocked.Decrement(ref _shared->Running);
        }
    }

    private void WaitForJob(int worker, int seen)
    {
        int index = worker - 1;
        for (int spin = 0; spin < IdleSpins; spin++)
        {
            if (Volatile.Read(ref _shared->Generation) != seen || Volatile.Read(ref _stopping)) return;
            Thread.SpinWait(8);
        }

        Volatile.Write(ref _asleep[index], true);
        Interlocked.MemoryBarrier();
        while (Volatile.Read(ref _shared->Generation) == seen && !Volatile.Read(ref _stopping)) _wakeups[index].Wait();
        Volatile.Write(ref _asleep[index], false);
    }

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Shared
    {
        [FieldOffset(0)]
        public void* Job;

        [FieldOffset(8)]
        public delegate*<void*, int, int, void> Invoke;

        [FieldOffset(16)]
        public int Items;

        [FieldOffset(64)]
        public int Next;

        [FieldOffset(128)]
        public int Running;

        [FieldOffset(192)]
        public int Generation;
    }
}
