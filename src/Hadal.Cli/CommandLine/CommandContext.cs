using System.CommandLine;
using Hadal.Cli.Output;
using Spectre.Console;

namespace Hadal.Cli.CommandLine;

/// <summary>What a command has in hand: its arguments, where to write, and when to stop.</summary>
internal sealed class CommandContext
{
    private readonly ParseResult _arguments;

    public CommandContext(ParseResult arguments, Streams streams, CancellationToken cancellation)
    {
        (_arguments, Streams, Cancellation) = (arguments, streams, cancellation);
        Json = arguments.GetValue(CommonOptions.Json);
        Out = Screen.On(streams.Out, streams.OutIsTerminal, streams.Colors);
        Error = Screen.On(streams.Error, streams.ErrorIsTerminal, streams.Colors);

        // Through the same console as what is drawn there, which makes room for it. The terminal has shown ^C in the line already.
        if (streams.Signals is { } signals) signals.Announce = text => Error.WriteLine("\n" + text);
    }

    public Streams Streams { get; }

    /// <summary>Stops at Ctrl-C.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>The result goes out as one JSON document.</summary>
    public bool Json { get; }

    /// <summary>Standard output, for drawing.</summary>
    public IAnsiConsole Out { get; }

    /// <summary>Standard error, for drawing.</summary>
    public IAnsiConsole Error { get; }

    public T Get<T>(Option<T> option) => _arguments.GetRequiredValue(option);

    public T? Find<T>(Option<T> option) => _arguments.GetValue(option);

    public T Get<T>(Argument<T> argument) => _arguments.GetRequiredValue(argument);

    public T? Find<T>(Argument<T> argument) => _arguments.GetValue(argument);

    public bool Has(Option option) => _arguments.GetResult(option) is { Implicit: false };

    /// <summary>Tells the person something that is not part of the result.</summary>
    public void Say(string sentence) => Streams.Error.WriteLine(sentence);
}
