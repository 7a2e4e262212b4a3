namespace Hadal.Cli.CommandLine;

/// <summary>Where a command reads and writes, and whether a person sits there.</summary>
/// <param name="In">Standard input.</param>
/// <param name="Out">Standard output: results only.</param>
/// <param name="Error">Standard error: progress, messages, errors.</param>
internal sealed record Streams(TextReader In, TextWriter Out, TextWriter Error)
{
    /// <summary>Standard input is a keyboard.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Standard output is a screen that understands control sequences.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Standard error is a screen that understands control sequences.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Colours are wanted: not when <c>NO_COLOR</c> is set (https://no-color.org).</summary>
    public bool Colors { get; init; }

    /// <summary>Ctrl-C; null where somebody else decides when to stop.</summary>
    public StopSignals? Signals { get; init; }

    /// <summary>The streams of this process.</summary>
    public static Streams OfConsole(StopSignals signals)
    {
        bool capable = Environment.GetEnvironmentVariable("TERM") is not "dumb";
        return new Streams(Console.In, Console.Out, Console.Error)
        {
            Signals = signals,
            InIsTerminal = !Console.IsInputRedirected,
            OutIsTerminal = capable && !Console.IsOutputRedirected,
            ErrorIsTerminal = capable && !Console.IsErrorRedirected,
            Colors = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
        };
    }
}
