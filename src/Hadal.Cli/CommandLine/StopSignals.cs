using System.Runtime.InteropServices;

namespace Hadal.Cli.CommandLine;

/// <summary>Turns Ctrl-C and the request to terminate into cancellation; the second one ends the program at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private Interruption? _interruption;

    public StopSignals()
    {
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop)];
    }

    /// <summary>Tells the person that the program is about to stop; a command that draws puts its own way here.</summary>
    public Action<string> Announce { get; set; } = Console.Error.WriteLine;

    /// <summary>Stops the program.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>As long as this is not disposed, the first Ctrl-C stops only what is computed now.</summary>
    public Interruption Begin() => _interruption = new Interruption(this);

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        if (context.Signal == PosixSignal.SIGINT && _interruption is { } interruption && interruption.Use())
        {
            context.Cancel = true;
            return;
        }

        if (_source.IsCancellationRequested) return;
        context.Cancel = true;
        Announce("Stopping … (once more to stop at once)");
        _source.Cancel();
    }

    /// <summary>Work that can be stopped without stopping the program.</summary>
    internal sealed class Interruption : IDisposable
    {
        private readonly StopSignals _signals;
        private readonly CancellationTokenSource _source;

        public Interruption(StopSignals signals)
        {
            _signals = signals;
            _source = CancellationTokenSource.CreateLinkedTokenSource(signals.Token);
        }

        public CancellationToken Token => _source.Token;

        /// <returns>False if it has been stopped already.</returns>
        public bool Use()
        {
            if (_source.IsCancellationRequested) return false;
            _source.Cancel();
            return true;
        }

        public void Dispose()
        {
            _signals._interruption = null;
            _source.Dispose();
        }
    }
}
