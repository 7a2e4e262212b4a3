using System.CommandLine;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;

namespace Hadal.Cli.Wiring;

/// <summary>The <c>--jsonl</c> and <c>--out</c> of a command that otherwise reads standard input and prints.</summary>
internal static class JsonLinesFiles
{
    /// <summary>Both files; null when neither is given.</summary>
    public static (string Input, string Output)? Of(CommandContext context, Option<string> input, Option<string> output) => (context.Find(input), context.Find(output)) switch
    {
        (null, null) => null,
        (null, _) => throw new MistakeException($"{output.Name} goes with {input.Name}; without both, standard input is read and the result printed"),
        (_, null) => throw new MistakeException($"{input.Name} needs {output.Name}, the file to write"),
        ({ } from, { } to) => (from, OutputFile.Check(to)),
    };
}
