using System.CommandLine;

namespace Hadal.Cli.CommandLine;

/// <summary>A word that other commands stand behind, such as <c>tokenizer</c>.</summary>
internal sealed class CommandGroup : Command, IWithExamples
{
    public CommandGroup(string name, string description, string[] examples, params HadalCommand[] commands)
        : base(name, description)
    {
        Examples = examples;
        foreach (var command in commands) Subcommands.Add(command);
    }

    public IReadOnlyList<string> Examples { get; }
}
