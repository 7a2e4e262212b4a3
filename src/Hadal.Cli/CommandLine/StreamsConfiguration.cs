using System.CommandLine;

namespace Hadal.Cli.CommandLine;

/// <summary>Carries the streams of an invocation to its command.</summary>
internal sealed class StreamsConfiguration : InvocationConfiguration
{
    public StreamsConfiguration(Streams streams)
    {
        Streams = streams;
        Output = streams.Out;
        Error = streams.Error;
        EnableDefaultExceptionHandler = false;

        // Program turns signals into cancellation, and without a time limit: a checkpoint takes as long as it takes.
        ProcessTerminationTimeout = null;
    }

    public Streams Streams { get; }
}
