using System.CommandLine;

namespace Hadal.Cli.CommandLine;

/// <summary>A command that does something: parses, calls the libraries, draws.</summary>
internal abstract class HadalCommand : Command, IWithExamples
{
    protected HadalCommand(string name, string description, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
        SetAction((arguments, cancellation) =>
        {
            var streams = ((StreamsConfiguration)arguments.InvocationConfiguration).Streams;
            return RunAsync(new CommandContext(arguments, streams, cancellation));
        });
    }

    public IReadOnlyList<string> Examples { get; }

    /// <summary>Does it.</summary>
    /// <returns>The exit code.</returns>
    protected virtual Task<int> RunAsync(CommandContext context) => Task.FromResult(Run(context));

    /// <summary>Does it, for a command that computes on the calling thread.</summary>
    /// <returns>The exit code.</returns>
    protected virtual int Run(CommandContext context) => throw new NotSupportedException($"{Name} has nothing to run.");
}
