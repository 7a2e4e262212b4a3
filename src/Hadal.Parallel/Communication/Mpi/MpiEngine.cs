using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>The one thread of this process that calls MPI: it begins what is posted, and asks for what has ended, beside the threads that compute.</summary>
/// <remarks>MPI moves data only inside of its calls, so without such a thread a transfer would stand still while its rank computes.</remarks>
internal sealed unsafe partial class MpiEngine : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private readonly MpiLauncher _launcher;
    private readonly AdaptivePause _pause;
    private readonly ConcurrentQueue<MpiOperation> _posted = new();
    private readonly ManualResetEventSlim _started = new();
    private readonly Thread _thread;
    private readonly List<MpiInbox> _inboxes = [];
    private MpiLibrary? _library;
    private MpiRequests? _requests;
    private CollectiveException? _failure;
    private LastWords? _lastWords;
    private int _waiting;
    private volatile bool _isAborted, _isFinished;

    private MpiEngine(MpiLauncher launcher)
    {
        _launcher = launcher;
        _pause = new AdaptivePause(() => !_posted.IsEmpty || _isAborted || _isFinished);
        _thread = new Thread(Run) { IsBackground = true, Name = "hadal communication" };
    }

    /// <summary>What is loaded.</summary>
    public MpiLibrary Library => _library!;

    /// <summary>Requests under way; for operations, while they are started.</summary>
    public MpiRequests Requests => _requests!;

    /// <summary>Memory for what MPI says of a transfer, as long as its thread lives.</summary>
    public void* Status { get; private set; }

    /// <summary>This process among all of the job.</summary>
    public int Rank { get; private set; }

    /// <summary>Processes of the job.</summary>
    public int Size { get; private set; }

    /// <summary>The machine, by its name.</summary>
    public string Host { get; private set; } = "";

    /// <summary>The library and its version, in its own words.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Begins MPI on a thread of its own.</summary>
    /// <exception cref="CollectiveException">There is no library, or it does not begin.</exception>
    public static MpiEngine Start(MpiLauncher launcher)
    {
        var engine = new MpiEngine(launcher);
        engine._thread.Start();
        engine._started.Wait();
        if (engine._failure is null) return engine;
        engine._thread.Join();
        engine.Dispose();
        throw new CollectiveException(engine._failure.Message, engine._failure);
    }

    /// <summary>Throws if a call did not succeed.</summary>
    /// <exception cref="CollectiveException">With the library's words.</exception>
    public static void Check(int result)
    {
        if (result != 0) throw new CollectiveException($"MPI refuses: {MpiRequests.ErrorText(result)}.");
    }

    /// <summary>Has an operation begun, after all that were posted before.</summary>
    public void Post(MpiOperation operation)
    {
        if (_isFinished) throw new CollectiveException($"Rank {Rank} has finished its part of the job; nothing more can move.");
        _posted.Enqueue(operation);
        _pause.Wake();
    }

    /// <summary>Hears that a thread begins or ends to wait.</summary>
    public void OnWait(bool begins)
    {
        if (begins)
        {
            Interlocked.Increment(ref _waiting);
            _pause.Wake();
        }
        else
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>What is received over a communicator; called by the thread that calls MPI.</summary>
    public MpiInbox Open(nint comm)
    {
        var inbox = new MpiInbox(this, comm);
        _inboxes.Add(inbox);
        return inbox;
    }

    /// <summary>Forgets it.</summary>
    public void Close(MpiInbox inbox) => _inboxes.Remove(inbox);

    /// <summary>Ends the job on all ranks, with a line on standard error; does not return.</summary>
    public void Abort(string reason)
    {
        _lastWords?.Say($"gave up: {reason}");
        if (Thread.CurrentThread == _thread)
        {
            _ = MpiNative.MPI_Abort(Library.World, 1);
        }
        else
        {
            _isAborted = true;
            _pause.Wake();

            // The thread may be inside a call that waits for others; the launcher ends the job of a rank that goes without a word, too.
            _thread.Join(_patience);
        }

        Exit(1);
    }

    /// <summary>Ends MPI, when all ranks have come here.</summary>
    public void Finish()
    {
        _isFinished = true;
        _pause.Wake();
        _thread.Join();
        Dispose();
    }

    /// <summary>Gives memory back, when the thread has ended.</summary>
    public void Dispose()
    {
        _lastWords?.Dispose();
        _pause.Dispose();
        _started.Dispose();
        _requests?.Dispose();
    }

    private void Run()
    {
        byte* status = stackalloc byte[MpiLibrary.StatusSize];
        Status = status;
        try
        {
            Initialize();
        }
        catch (CollectiveException e)
        {
            _failure = e;
            return;
        }
        finally
        {
            _started.Set();
        }

        try
        {
            Serve();
            Check(MpiNative.MPI_Finalize());
        }
        catch (CollectiveException e)
        {
            Abort(e.Message);
        }
    }

    private void Serve()
    {
        long finishing = 0;
        while (!_isFinished || !_posted.IsEmpty || UnderWay > 0)
        {
            if (_isAborted) _ = MpiNative.MPI_Abort(Library.World, 1);
            bool isNews = false;
            while (_posted.TryDequeue(out var operation))
            {
                operation.Start();
                isNews = true;
            }

            foreach (var inbox in _inboxes) isNews |= inbox.Look();
            while (Requests.Count > 0 && Requests.TakeEnded(Rank, Status)) isNews = true;
            int underWay = UnderWay;

            // What has been handed to MPI may still lie in its buffers when nothing is under way here.
            if (underWay == 0) Check(MpiNative.MPI_Iprobe(Library.AnySource, MpiLibrary.AnyTag, Library.World, out _, Status));
            if (isNews) _pause.Reset();
            else _pause.Once(Volatile.Read(ref _waiting) > 0, underWay == 0);
            if (!_isFinished) continue;
            if (finishing == 0) finishing = Stopwatch.GetTimestamp();
            if (underWay > 0 && Stopwatch.GetElapsedTime(finishing) > _patience) Abort($"it finished with {underWay} transfers under way that no other rank takes part in.");
        }
    }

    // Requests that have begun and receives that have found no message. Asked for very often.
    private int UnderWay
    {
        get
        {
            int count = Requests.Count;
            foreach (var inbox in _inboxes) count += inbox.Awaited;
            return count;
        }
    }

    private void Initialize()
    {
        AdaptivePause.SleepExactly();
        _library = MpiLibrary.Load(_launcher);
        Check(MpiNative.MPI_Init_thread(null, null, MpiLibrary.Funneled, out int provided));
        if (provided < MpiLibrary.Funneled)
            throw new CollectiveException("This MPI was built without threads: it has to allow calls from one thread of a program that has several (MPI_THREAD_FUNNELED).");
        Check(MpiNative.MPI_Comm_set_errhandler(Library.World, Library.ErrorsReturn));
        Check(MpiNative.MPI_Comm_rank(Library.World, out int rank));
        Check(MpiNative.MPI_Comm_size(Library.World, out int size));
        (Rank, Size) = (rank, size);
        byte* text = stackalloc byte[MpiLibrary.TextSize];
        Check(MpiNative.MPI_Get_processor_name(text, out int length));
        Host = Encoding.UTF8.GetString(text, length);
        Check(MpiNative.MPI_Get_library_version(text, out length));

        // Of several lines or clauses, the first.
        Version = string.Join(' ', Encoding.UTF8.GetString(text, length).Split('\n', ',', '\0')[0].Split(default(char[]), StringSplitOptions.RemoveEmptyEntries));
        _requests = new MpiRequests(Library);
        _lastWords = new LastWords($"Rank {Rank} on {Host}");
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);
}
