using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hadal.Numerics.Measurement;

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
/// Every member starts with its share of the items, in ascending order, so that it walks through memory in one direction and comes back to the same memory when
/// the same job is done again; who is finished takes items from the end of another's share. So a result must depend on the item alone and never on the thread:
/// that is what makes sums the same for any number of threads. Members spin for a moment between jobs (decoding has thousands of short ones a second) and fetch
/// what is <see cref="Expected"/> meanwhile, then sleep. One job at a time: calls from several threads queue up behind each other.
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
    private Share* _shares;
    private ExpectedMemory.Cursor _cursor;
    private Exception? _failure;
    private bool _stopping;

    /// <param name="threads">Members, the caller included; at least 1.</param>
    public ThreadTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _shared = (Shared*)NativeMemory.AlignedAlloc((nuint)sizeof(Shared), 64);
        *_shared = default;
        _shares = (Share*)NativeMemory.AlignedAlloc((nuint)(threads * sizeof(Share)), 64);
        new Span<Share>(_shares, threads).Clear();
        Expected = new ExpectedMemory(threads);
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

    /// <summary>What members fetch while they wait; written by the thread that runs jobs.</summary>
    public ExpectedMemory Expected { get; }

    /// <summary>Gets the time of every job; null for none.</summary>
    public KernelProfile? Profile { get; set; }

    /// <summary>Runs all items and returns when the last is done.</summary>
    /// <param name="items">How many.</param>
    /// <param name="job">The work.</param>
    /// <param name="alone">Whether the calling thread does it, since there is too little to wake others for.</param>
    /// <exception cref="Exception">The first exception that an item threw.</exception>
    public void Run<TJob>(int items, ref TJob job, bool alone = false) where TJob : unmanaged, ITeamJob
    {
        if (items <= 0) return;
        if (Profile is not { } profile)
        {
            RunItems(items, ref job, alone);
            return;
        }

        long started = Stopwatch.GetTimestamp();
        RunItems(items, ref job, alone);
        profile.Add(typeof(TJob), Stopwatch.GetTimestamp() - started);
    }

    /// <summary>Runs all items, with a team or on the calling thread alone.</summary>
    public static void Run<TJob>(ThreadTeam? team, int items, ref TJob job) where TJob : unmanaged, ITeamJob
    {
        if (team is not null)
        {
            team.Run(items, ref job);
            return;
        }

        for (int i = 0; i < items; i++) job.Execute(i, 0);
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
        NativeMemory.AlignedFree(_shares);
        _shared = null;
        _shares = null;
        Expected.Dispose();
    }

    private void RunItems<TJob>(int items, ref TJob job, bool alone) where TJob : unmanaged, ITeamJob
    {
        if (alone || Threads == 1 || items == 1)
        {
            for (int i = 0; i < items; i++) job.Execute(i, 0);
            return;
        }

        lock (_gate)
        {
            TJob local = job;
            _shared->Job = &local;
            _shared->Invoke = &Invoke<TJob>;
            for (int i = 0; i < Threads; i++) _shares[i].Items = Pack((int)((long)items * i / Threads), (int)((long)items * (i + 1) / Threads));
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
                if (Expected.Fetch(0, ref _cursor)) continue;
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

    private static void Invoke<TJob>(void* job, int item, int worker) where TJob : unmanaged, ITeamJob =>
        Unsafe.AsRef<TJob>(job).Execute(item, worker);

    private void Drain(int worker)
    {
        var shared = _shared;
        try
        {
            while (TryTakeFirst(worker, out int item)) shared->Invoke(shared->Job, item, worker);
            for (int i = 1; i < Threads; i++)
            {
                while (TryTakeLast((worker + i) % Threads, out int item)) shared->Invoke(shared->Job, item, worker);
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            for (int i = 0; i < Threads; i++) Volatile.Write(ref _shares[i].Items, 0);
        }
    }

    private bool TryTakeFirst(int member, out int item)
    {
        ref long share = ref _shares[member].Items;
        while (true)
        {
            long items = Volatile.Read(ref share);
            item = (int)items;
            int end = (int)(items >> 32);
            if (item >= end) return false;
            if (Interlocked.CompareExchange(ref share, Pack(item + 1, end), items) == items) return true;
        }
    }

    private bool TryTakeLast(int member, out int item)
    {
        ref long share = ref _shares[member].Items;
        while (true)
        {
            long items = Volatile.Read(ref share);
            int first = (int)items;
            item = (int)(items >> 32) - 1;
            if (first > item) return false;
            if (Interlocked.CompareExchange(ref share, Pack(first, item), items) == items) return true;
        }
    }

    private static long Pack(int first, int end) => (long)end << 32 | (uint)first;

    private void Serve(int worker)
    {
        MemoryNodes.TryBind(worker, Threads);
        int seen = 0;
        var cursor = default(ExpectedMemory.Cursor);
        while (true)
        {
            WaitForJob(worker, seen, ref cursor);
            if (Volatile.Read(ref _stopping)) return;
            seen = Volatile.Read(ref _shared->Generation);
            Drain(worker);
            Interlocked.Decrement(ref _shared->Running);
        }
    }

    private void WaitForJob(int worker, int seen, ref ExpectedMemory.Cursor cursor)
    {
        int index = worker - 1;
        for (int spin = 0; spin < IdleSpins; spin++)
        {
            if (Volatile.Read(ref _shared->Generation) != seen || Volatile.Read(ref _stopping)) return;
            if (!Expected.Fetch(worker, ref cursor)) Thread.SpinWait(8);
        }

        Volatile.Write(ref _asleep[index], true);
        Interlocked.MemoryBarrier();
        while (Volatile.Read(ref _shared->Generation) == seen && !Volatile.Read(ref _stopping)) _wakeups[index].Wait();
        Volatile.Write(ref _asleep[index], false);
    }

    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Shared
    {
        [FieldOffset(0)]
        public void* Job;

        [FieldOffset(8)]
        public delegate*<void*, int, int, void> Invoke;

        [FieldOffset(64)]
        public int Running;

        [FieldOffset(128)]
        public int Generation;
    }

    // A member's items that nobody has taken: the first, and in the upper half one past the last. On a cache line of its own.
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Share
    {
        [FieldOffset(0)]
        public long Items;
    }
}
