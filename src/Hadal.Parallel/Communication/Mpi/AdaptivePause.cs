using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>How the thread that asks an engine for news spends the time in between: it asks again at once, then lets others run, then sleeps for longer and longer. What is posted wakes it.</summary>
/// <remarks>
/// Ranks may be more than cores, so asking must not take a core from who computes. While a thread of this rank waits for a transfer, its core is free, and
/// asking often costs nobody; while none does, news is not urgent, and after a few tries the thread only sleeps. One thread pauses; any may call <see cref="Wake"/>.
/// </remarks>
internal sealed unsafe partial class AdaptivePause : IDisposable
{
    // Tries without news before the next kind of pause. Sleeps, in microseconds, are a sixteenth of the time without news: what a long wait ends with comes 6% late at most.
    private const int Spins = 20, Yields = 200;
    private const int SleepShare = 16;
    private const int ShortestSleep = 20, LongestSleep = 1000, ShortestIdleSleep = 200, LongestIdleSleep = 5000;
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    private const int SetTimerSlack = 29, SlackNanoseconds = 1000;
    private const short Readable = 1;
    private readonly int _event;
    private readonly Func<bool> _hasWork;
    private int _tries;
    private long _since;
    private volatile int _asleep;

    /// <param name="hasWork">Whether something has been posted; asked before each sleep.</param>
    public AdaptivePause(Func<bool> hasWork)
    {
        _hasWork = hasWork;
        _event = CreateEvent(0, CloseOnExec | NonBlocking);
        if (_event < 0) throw new IOException($"The system has no more events to wait for (error {Marshal.GetLastPInvokeError()}).");
    }

    /// <summary>Makes the calling thread's sleeps as short as they are said to be: without it the system lengthens each by 50 microseconds.</summary>
    public static void SleepExactly() => _ = Control(SetTimerSlack, SlackNanoseconds, 0, 0, 0);

    /// <summary>There was news.</summary>
    public void Reset() => (_tries, _since) = (0, Stopwatch.GetTimestamp());

    /// <summary>Pauses once.</summary>
    /// <param name="isAwaited">Whether a thread of this rank does nothing but wait.</param>
    /// <param name="isIdle">Whether nothing is under way.</param>
    public void Once(bool isAwaited, bool isIdle)
    {
        if (_tries < Spins || (isAwaited && !isIdle && _tries < Spins + Yields))
        {
            if (_tries++ >= Spins) Thread.Yield();
            return;
        }

        int shortest = isIdle ? ShortestIdleSleep : ShortestSleep, longest = isIdle ? LongestIdleSleep : LongestSleep;
        double microseconds = Math.Clamp(Stopwatch.GetElapsedTime(_since).TotalMicroseconds / SleepShare, shortest, longest);
        _asleep = 1;
        Interlocked.MemoryBarrier();
        if (!_hasWork())
        {
            var timeout = new TimeSpec { Nanoseconds = (long)(microseconds * 1000) };
            var wanted = new PollDescriptor { Descriptor = _event, Events = Readable };
            if (Poll(&wanted, 1, &timeout, null) > 0)
            {
                ulong count;
                _ = Read(_event, &count, sizeof(ulong));
                Reset();
            }
        }

        _asleep = 0;
    }

    /// <summary>Ends a sleep.</summary>
    public void Wake()
    {
        Interlocked.MemoryBarrier();
        if (_asleep == 0) return;
        ulong one = 1;
        _ = Write(_event, &one, sizeof(ulong));
    }

    public void Dispose() => _ = Close(_event);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int CreateEvent(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static partial int Poll(PollDescriptor* descriptors, nuint count, TimeSpec* timeout, void* signals);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nuint value, nuint unused1, nuint unused2, nuint unused3);

    private struct TimeSpec
    {
        public long Seconds, Nanoseconds;
    }

    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events, Happened;
    }
}
