using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;

namespace Hadal.Cli;

/// <summary>The <c>hadal</c> program, callable inside a process.</summary>
public static class HadalProgram
{
    /// <summary>Runs a command line.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="stdout">Receives the result.</param>
    /// <param name="stderr">Receives progress, messages and errors.</param>
    /// <param name="cancellation">Stops, as Ctrl-C does.</param>
    /// <returns>The exit code: 0 success, 1 our fault, 2 the user's, 130 stopped.</returns>
    public static Task<int> RunAsync(IReadOnlyList<string> args, TextWriter stdout, TextWriter stderr, CancellationToken cancellation = default) =>
        RunAsync(args, new Streams(TextReader.Null, stdout, stderr), cancellation);

    internal static async Task<int> RunAsync(IReadOnlyList<string> args, Streams streams, CancellationToken cancellation)
    {
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;

        // A newcomer who types the bare name wants to know what there is.
        if (args.Count == 0) args = ["--help"];
        var root = new HadalRoot();
        var arguments = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (arguments.Action is ParseErrorAction) return Complain(arguments, streams);
        try
        {
            return await arguments.InvokeAsync(new StreamsConfiguration(streams), cancellation).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            return ErrorRule.Report(exception, streams, arguments.GetValue(CommonOptions.Verbose));
        }
    }

    private static int Complain(ParseResult arguments, Streams streams)
    {
        string hint = $"See {CommandPath(arguments.CommandResult.Command)} --help.";
        return ErrorRule.ReportCommandLine(ParseComplaint.Sentence(arguments), hint, streams);
    }

    internal static string CommandPath(Command command)
    {
        var names = new Stack<string>();
        for (Command? c = command; c is not null; c = c.Parents.OfType<Command>().FirstOrDefault()) names.Push(c is RootCommand ? "hadal" : c.Name);
        return string.Join(' ', names);
    }
}
