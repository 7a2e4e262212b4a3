namespace Hadal.Parallel.Communication.Mpi;

/// <summary>Ranks that are processes, on one machine or many, started by mpirun or srun.</summary>
/// <remarks>
/// A world is finished by <see cref="Finish"/>, when all ranks have come there. One that is disposed of before has failed, and the whole job ends by it: others would
/// wait for this rank for ever. <see cref="Run"/> does both.
/// </remarks>
public sealed class MpiWorld : IDisposable
{
    private static int _starts;
    private readonly MpiEngine _engine;
    private bool _isFinished;

    private MpiWorld(MpiEngine engine, MpiGroup group)
    {
        _engine = engine;
        Group = new MpiCollective(engine, group, true);
    }

    /// <summary>Whether this process was started as a rank: by mpirun of Open MPI or MPICH, or by srun as one of several tasks.</summary>
    public static bool IsLaunched => MpiLauncher.Detect() is not null;

    /// <summary>The group of all ranks.</summary>
    public ICollective Group { get; }

    /// <summary>The machine that this rank is on, by its name.</summary>
    public string Host => _engine.Host;

    /// <summary>The library that carries, in its own words.</summary>
    public string LibraryVersion => _engine.Version;

    /// <summary>Joins the other ranks. Once in a process.</summary>
    /// <returns>The world, to be finished.</returns>
    /// <exception cref="InvalidOperationException">The process was not started as a rank, or has joined before.</exception>
    /// <exception cref="CollectiveException">The launcher's library is missing, or does not begin.</exception>
    public static MpiWorld Start()
    {
        var launcher = MpiLauncher.Detect()
            ?? throw new InvalidOperationException("This process was not started as one of several ranks; start it by mpirun -n N (Open MPI, MPICH) or srun --mpi=pmix -n N.");
        if (Interlocked.Exchange(ref _starts, 1) != 0) throw new InvalidOperationException("MPI begins once in a process, and has begun.");
        var engine = MpiEngine.Start(launcher);
        MpiGroup? group = null;
        var start = new MpiOperation(engine, new CommunicationCounters(), _ => group = MpiGroup.From(engine, engine.Library.World));
        engine.Post(start);
        start.Wait();
        return new MpiWorld(engine, group!);
    }

    /// <summary>Joins the other ranks, runs a body, and leaves when all have; if it throws, the job ends on all ranks, with a line on standard error that names this one.</summary>
    /// <param name="body">Gets the world.</param>
    public static void Run(Action<MpiWorld> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var world = Start();

        // Ended in the filter, before the body's own "using" and "finally" give memory back that another rank may be reading.
        try
        {
            body(world);
            world.Finish();
        }
        catch (Exception e) when (EndJob(e))
        {
        }

        bool EndJob(Exception e)
        {
            world.Group.Abort(e.Message);
            return false;
        }
    }

    /// <summary>Waits for all ranks to come here, and ends MPI.</summary>
    /// <exception cref="CollectiveException">A rank is gone.</exception>
    public void Finish()
    {
        if (_isFinished) return;
        Group.Barrier();
        _isFinished = true;
        _engine.Finish();
    }

    /// <summary>Ends the job on all ranks, unless it is finished.</summary>
    public void Dispose()
    {
        if (!_isFinished) _engine.Abort("it left before its part of the job was finished.");
    }
}
