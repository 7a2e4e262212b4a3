using System.Runtime.InteropServices;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>One line on standard error that says why a rank ends before the job is finished, however it ends; launchers name the process at most.</summary>
internal sealed class LastWords : IDisposable
{
    // MPICH's launcher ends a job as soon as a rank asks for it, and drops what it has not read by then.
    private static readonly TimeSpan _timeToBeHeard = TimeSpan.FromMilliseconds(200);
    private readonly string _name;
    private readonly PosixSignalRegistration[] _signals;
    private int _isSaid;

    /// <param name="name">The rank and its machine.</param>
    public LastWords(string name)
    {
        _name = name;
        AppDomain.CurrentDomain.UnhandledException += OnUnhandledException;
        AppDomain.CurrentDomain.ProcessExit += OnExit;

        // Who is told to end, because another rank has failed or a person wants it, adds nothing to that.
        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Silence()), PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Silence())];
    }

    /// <summary>Says what is said first, and nothing after it. Returns when the launcher has had time to pass it on.</summary>
    public void Say(string what)
    {
        if (Interlocked.Exchange(ref _isSaid, 1) != 0) return;
        Console.Error.WriteLine($"{_name} {what}");
        Console.Error.Flush();
        Thread.Sleep(_timeToBeHeard);
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.UnhandledException -= OnUnhandledException;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        foreach (var signal in _signals) signal.Dispose();
    }

    private void Silence() => Interlocked.Exchange(ref _isSaid, 1);

    private void OnUnhandledException(object sender, UnhandledExceptionEventArgs e) => Say($"gave up: {(e.ExceptionObject as Exception)?.Message}");

    private void OnExit(object? sender, EventArgs e) => Say("ended before its part of the job was finished.");
}
